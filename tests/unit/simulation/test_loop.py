"""A simulated process that dies a moment too late, or thinks while it is frozen, hides what the real one would do."""

from simulation.loop import Loop, Process


def test_a_frozen_process_goes_on_when_it_is_thawed() -> None:
    loop, seen = Loop(0), list[float]()
    process = Process(loop, "frozen")

    def work() -> None:
        loop.sleep(1)
        seen.append(loop.now)

    process.start(work)
    loop.after(0.5, lambda: process.freeze(10))
    loop.run(100)
    assert seen == [10.5]


def test_an_alarm_that_was_due_ends_a_frozen_process_before_its_next_instruction() -> None:
    loop, seen = Loop(0), list[float]()
    process = Process(loop, "leader")

    def work() -> None:
        process.set_alarm(5)
        loop.sleep(1)
        seen.append(loop.now)

    process.start(work)
    loop.after(0.5, lambda: process.freeze(10))
    loop.run(100)
    assert process.is_dead
    assert seen == []


def test_a_dead_process_does_nothing_in_its_finally_blocks() -> None:
    loop, seen = Loop(0), list[str]()
    process = Process(loop, "dead")

    def work() -> None:
        try:
            loop.sleep(10)
        finally:
            loop.sleep(0)
            seen.append("acted")

    process.start(work)
    loop.after(1, process.end)
    loop.run(100)
    assert seen == []
