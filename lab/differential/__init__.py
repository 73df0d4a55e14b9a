"""Hold the embedded broker's model against RabbitMQ, with programs of operations that nobody thought of.

::

    programs     Hypothesis makes programs of operations                     (operations: what there is to do)
      script       says what an operation means now: which queue, which delivery
        run          does it on RabbitMQ, waits until that is quiet, then on the model
          sides        the two brokers, each with the same few clients
          model        the model's side: it is told what RabbitMQ chose
            free         what RabbitMQ chose and nobody sees (returning, circles: what came back, and letters that go round)
          likeness     what of an answer must be the same

RabbitMQ is free where AMQP promises no order: which consumer gets a message, and which of two queues speaks first.  So
the rule is: *what RabbitMQ does must be among what the model allows*.  Its choices are fed into the model, which goes on
from there.
"""
