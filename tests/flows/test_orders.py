"""How an order goes, in every mode, embedded and on real servers."""

from __future__ import annotations

from uuid import uuid4

from tests.flows.words import Words, key_for, until


def test_an_order_is_reserved_paid_delivered_and_confirmed(words: Words) -> None:
    ada, chair = words.customer(10_000), words.goods(price=2_500, quantity=3)
    order = words.settled(words.order(ada, {chair: 2}))
    words.quiet()
    assert (order["status"], order["amount_cents"], order["mode"]) == ("SUCCESS", 5_000, words.mode)
    assert words.money(ada) == (5_000, 0, 5_000)
    assert words.stock(chair) == (1, 0, 2)
    assert words.news(order["id"]) == {"OrderPlaced", "PaymentTaken", "OrderConfirmed"}


def test_rpc_answers_with_the_ending_and_the_others_accept(words: Words) -> None:
    ada, chair = words.customer(10_000), words.goods(price=2_500, quantity=3)
    answer = words.post({"user_id": ada, "product_id": chair, "quantity": 1}, key_for(ada))
    if words.mode == "rpc":
        assert (answer.status_code, answer.json()["status"]) == (201, "SUCCESS")
    else:
        assert answer.status_code in (201, 202)  # 201: it settled before the answer was written
    assert answer.headers["location"] == f"/orders/{answer.json()['id']}"
    words.quiet()


def test_several_lines_are_one_order(words: Words) -> None:
    ada, chair, lamp = words.customer(10_000), words.goods(1_000, 5), words.goods(300, 5)
    order = words.settled(words.order(ada, {lamp: 3, chair: 2}))
    words.quiet()
    assert (order["status"], order["amount_cents"]) == ("SUCCESS", 2_900)
    assert words.stock(chair) == (3, 0, 2)
    assert words.stock(lamp) == (2, 0, 3)


def test_all_lines_or_none(words: Words) -> None:
    ada, chair, piano = words.customer(10_000), words.goods(1_000, 5), words.goods(2_000, 1)
    order = words.settled(words.order(ada, {chair: 2, piano: 2}))
    words.quiet()
    assert order["status"] == "FAILED"
    assert f"product {piano}" in order["reason"]
    assert words.stock(chair) == (5, 0, 0)
    assert words.stock(piano) == (1, 0, 0)


def test_the_order_fails_when_there_are_not_enough_goods(words: Words) -> None:
    ada, chair = words.customer(10_000), words.goods(price=1_000, quantity=1)
    order = words.settled(words.order(ada, {chair: 2}))
    words.quiet()
    assert order["status"] == "FAILED"
    assert "not enough on the shelf" in order["reason"]
    assert (words.money(ada), words.stock(chair)) == ((10_000, 0, 0), (1, 0, 0))
    assert "OrderFailed" in words.news(order["id"])


def test_goods_go_back_when_the_customer_has_no_money(words: Words) -> None:
    ada, chair = words.customer(999), words.goods(price=1_000, quantity=1)
    order = words.settled(words.order(ada, {chair: 1}))
    words.quiet()
    assert order["status"] == "FAILED"
    assert "not enough money" in order["reason"]
    assert (words.money(ada), words.stock(chair)) == ((999, 0, 0), (1, 0, 0))


def test_goods_and_money_go_back_when_the_payment_fails(words: Words) -> None:
    ada, chair = words.customer(5_000), words.goods(price=1_000, quantity=2)
    order = words.settled(words.order(ada, {chair: 1}, key_for(ada, paid=False)))
    words.quiet()
    assert order["status"] == "FAILED"
    assert "gateway declined" in order["reason"]
    assert (words.money(ada), words.stock(chair)) == ((5_000, 0, 0), (2, 0, 0))


def test_everything_goes_back_when_the_delivery_fails(words: Words) -> None:
    ada, chair = words.customer(5_000), words.goods(price=1_000, quantity=2)
    order = words.settled(words.order(ada, {chair: 1}, key_for(ada, delivered=False)))
    words.quiet()
    assert order["status"] == "FAILED"
    assert "carrier" in order["reason"]
    assert (words.money(ada), words.stock(chair)) == ((5_000, 0, 0), (2, 0, 0))
    payment = words.shop.http("payment").get(f"/payments/{order['id']}").json()
    assert payment["state"] == "REFUNDED"


def test_an_unknown_customer_or_product_fails_with_its_reason(words: Words) -> None:
    ada, chair = words.customer(5_000), words.goods(price=1_000, quantity=2)
    nobody = words.settled(words.order(987_654_321, {chair: 1}))
    nothing = words.settled(words.order(ada, {987_654_321: 1}))
    words.quiet()
    assert (nobody["status"], nobody["reason"]) == ("FAILED", "user 987654321 does not exist")
    assert (nothing["status"], nothing["reason"]) == ("FAILED", "product 987654321 does not exist")
    assert words.stock(chair) == (2, 0, 0)


def test_an_amount_that_is_not_the_price_fails(words: Words) -> None:
    ada, chair = words.customer(5_000), words.goods(price=1_050, quantity=2)
    right = words.settled(words.order(ada, {chair: 1}, amount="10.50"))
    wrong = words.settled(words.order(ada, {chair: 1}, amount="10.49"))
    words.quiet()
    assert (right["status"], wrong["status"]) == ("SUCCESS", "FAILED")
    assert "the amount is 1050 cents, not 1049" in wrong["reason"]


def test_the_same_key_is_the_same_order(words: Words) -> None:
    ada, chair = words.customer(10_000), words.goods(price=1_000, quantity=5)
    key = key_for(ada)
    first = words.settled(words.order(ada, {chair: 1}, key))
    second = words.order(ada, {chair: 1}, key)
    words.quiet()
    assert str(second) == first["id"]
    assert words.money(ada) == (9_000, 0, 1_000)
    other = words.post({"user_id": ada, "product_id": chair, "quantity": 2}, key)
    assert other.status_code == 422
    assert "Idempotency-Key" in other.json()["detail"]


def test_duplicates_and_replays_change_nothing(words: Words) -> None:
    ada, chair = words.customer(10_000), words.goods(price=1_000, quantity=5)
    good = words.settled(words.order(ada, {chair: 1}))
    bad = words.settled(words.order(ada, {chair: 1}, key_for(ada, delivered=False)))
    words.quiet()
    for order in (good, bad):
        assert words.say_again(order["id"], new_ids=False) > 3
        words.quiet()
        assert words.say_again(order["id"], new_ids=True) > 3
        words.quiet()
        after = words.look(order["id"])
        assert (after["status"], after["reason"]) == (order["status"], order["reason"])
    assert (words.money(ada), words.stock(chair)) == ((9_000, 0, 1_000), (4, 0, 1))


def test_history_and_journal_tell_the_story(words: Words) -> None:
    ada, chair = words.customer(10_000), words.goods(price=1_000, quantity=5)
    order = words.settled(words.order(ada, {chair: 1}))
    words.quiet()
    events = [entry["event"] for entry in words.shop.http("order").get(f"/orders/{order['id']}/history").json()]
    assert (events[0], events[-1]) == ("OrderPlaced", "DeliveryScheduled")
    heard = words.shop.http("delivery").get("/messages", params={"order_id": order["id"]}).json()
    assert [(one["direction"], one["type"]) for one in heard] == [("heard", "PaymentTaken"), ("said", "DeliveryScheduled")]
    assert all(one["mode"] == words.mode for one in heard)


def test_an_order_nobody_placed_does_not_exist(words: Words) -> None:
    assert words.shop.http("order").get(f"/orders/{uuid4()}").status_code == 404
    assert words.cancel(uuid4()).status_code == 404


def test_a_success_cannot_be_cancelled(words: Words) -> None:
    ada, chair = words.customer(10_000), words.goods(price=1_000, quantity=5)
    order = words.settled(words.order(ada, {chair: 1}))
    assert order["status"] == "SUCCESS"
    assert words.cancel(order["id"]).status_code == 409
    until(lambda: words.look(order["id"])["status"] == "SUCCESS", "it stays a success")
    words.quiet()
