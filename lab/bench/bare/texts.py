"""The statements, with the guards and conditions that ours have."""

NOW = "extract(epoch from statement_timestamp())::double precision"

STEP = "INSERT INTO {} (order_id, state, begun_at, changed_at, {}) VALUES (%s, %s, {}, {}, %s{}) ON CONFLICT DO NOTHING"
PLACE = (
    "INSERT INTO orders (id, user_id, mode, fingerprint, status, saga_state, placed_at, deadline_at) VALUES"
    f" (%s, %s, %s, %s, 'PROCESSING', 'STARTED', {NOW}, {NOW} + 86400) ON CONFLICT DO NOTHING"
)
ORDER_LINE = "INSERT INTO order_lines (order_id, product_id, quantity) VALUES (%s, %s, %s)"
NOTE = f"INSERT INTO history (order_id, happened_at, event, saga_state, reason) VALUES (%s, {NOW}, %s, %s, NULL)"
ADVANCE = "UPDATE orders SET saga_state = %s WHERE id = %s AND status || '' = 'PROCESSING'"
CONFIRM = (
    f"UPDATE orders SET status = 'SUCCESS', saga_state = 'COMPLETED', amount_cents = %s, settled_at = {NOW}"
    " WHERE id = %s AND status || '' = 'PROCESSING'"
)
RESERVE = STEP.format("reservations", "user_id", NOW, NOW, "")
FROM_SHELF = (
    "UPDATE products SET shelf = shelf - %s, reserved = reserved + %s WHERE id = %s AND shelf >= %s RETURNING price_cents"
)
RESERVED_LINE = "INSERT INTO reservation_lines (order_id, product_id, quantity, price_cents) VALUES (%s, %s, %s, %s)"
RESERVED = f"UPDATE reservations SET amount_cents = %s, changed_at = {NOW} WHERE order_id = %s AND state || '' = 'RESERVED'"
LINES = "SELECT product_id, quantity, price_cents FROM reservation_lines WHERE order_id = %s ORDER BY product_id"
SELL = f"UPDATE reservations SET state = 'SOLD', changed_at = {NOW} WHERE order_id = %s AND state || '' = 'RESERVED'"
FROM_RESERVED = "UPDATE products SET reserved = reserved - %s, sold = sold + %s WHERE id = %s"
HOLD = STEP.format("holds", "user_id, amount_cents", NOW, NOW, ", %s")
FROM_BALANCE = (
    "UPDATE users SET balance_cents = balance_cents - %s, held_cents = held_cents + %s WHERE id = %s AND balance_cents >= %s"
)
SPEND = (
    f"UPDATE holds SET state = 'SPENT', changed_at = {NOW} WHERE order_id = %s AND state || '' = 'HELD'"
    " RETURNING user_id, amount_cents"
)
FROM_HELD = "UPDATE users SET held_cents = held_cents - %s, spent_cents = spent_cents + %s WHERE id = %s"
TAKE = STEP.format("payments", "user_id, amount_cents, reason", NOW, NOW, ", %s, NULL")
SCHEDULE = STEP.format("deliveries", "user_id, reason", NOW, NOW, ", NULL")
TELL = (
    f"INSERT INTO notifications (id, order_id, kind, user_id, text, told_at) VALUES (%s, %s, %s, %s, %s, {NOW})"
    " ON CONFLICT DO NOTHING"
)

INBOX = (
    "INSERT INTO inbox (service, message_id, order_id, type, mode, queue, handler, sender, heard_at) VALUES %s"
    " ON CONFLICT DO NOTHING RETURNING message_id"
)
INBOX_ROW = f"(%s, %s, %s, %s, %s, %s, %s, %s, {NOW})"
OUTBOX = (
    "INSERT INTO outbox (message_id, order_id, type, mode, address, exchange, routing_key, body, headers, correlation_id,"
    " awaits_answer, said_at, due_at, attempts, sent_at) VALUES %s ON CONFLICT DO NOTHING RETURNING message_id"
)
OUTBOX_ROW = f"(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, {NOW}, {NOW} + 1, 0, "
SENT = f"UPDATE outbox SET sent_at = {NOW} WHERE message_id IN %s AND sent_at + 0 IS NULL"
ANSWERED = f"UPDATE outbox SET sent_at = {NOW} WHERE message_id = %s AND order_id = %s AND sent_at + 0 IS NULL"
