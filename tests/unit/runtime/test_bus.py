import pytest

from cashup.runtime.bus import MessageBus


class Base:
    pass


class Child(Base):
    pass


def test_messages_published_while_delivering_wait_their_turn():
    bus, seen = MessageBus(), []

    def first(message):
        seen.append(("first", message))
        if message == "a":
            bus.publish("b")
            seen.append("published b")

    bus.subscribe(str, first)
    bus.subscribe(str, lambda message: seen.append(("second", message)))
    bus.publish("a")
    assert seen == [("first", "a"), "published b", ("second", "a"), ("first", "b"), ("second", "b")]


def test_subscribers_of_a_base_class_receive_its_children_and_not_the_reverse():
    bus, base, child = MessageBus(), [], []
    bus.subscribe(Base, base.append)
    bus.subscribe(Child, child.append)
    bus.publish(Base())
    bus.publish(Child())
    assert [type(message) for message in base] == [Base, Child]
    assert [type(message) for message in child] == [Child]


def test_listens_says_whether_a_message_would_reach_anybody():
    bus = MessageBus()
    assert not bus.listens(Child)
    end = bus.subscribe(Base, lambda message: None)
    assert bus.listens(Child)
    end()
    end()
    assert not bus.listens(Child)


def test_a_failing_handler_raises_and_loses_nothing():
    bus, seen = MessageBus(), []

    def fail(message):
        if message == 1:
            bus.publish(2)
            raise RuntimeError("broken")

    bus.subscribe(int, fail)
    bus.subscribe(int, seen.append)
    with pytest.raises(RuntimeError):
        bus.publish(1)
    assert seen == []
    bus.publish(3)
    assert seen == [1, 2, 3]
