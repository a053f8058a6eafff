"""Items that are made side by side: no core waits until the others have finished theirs.

Belongs here: threads that take the next item. Does not belong here: what an item is, and its commit (`commits`).
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from threading import Event, Lock, Semaphore


def make_side_by_side(make_one: Callable[[int], bytes], numbers: Iterator[int], at_once: int) -> Iterator[bytes]:
    """The items of the numbers, in their order.

    Each thread takes the next number when it has made an item. So whoever ends the numbers gets every item that was
    begun. When twice `at_once` items wait to be taken, no further one is begun. All threads have ended when this has.

    Args:
        make_one: makes the item of a number; it is called in several threads at the same time.
        numbers: of the items; it is advanced by one thread at a time.
        at_once: how many threads there are.
    """
    taking, room, over = Lock(), Semaphore(2 * at_once), Event()
    in_order = SimpleQueue[Future[bytes] | None]()

    def take_and_make() -> None:
        try:
            while room.acquire():
                with taking:
                    number = None if over.is_set() else next(numbers, None)
                    if number is None:
                        return
                    item = Future[bytes]()
                    in_order.put(item)
                try:
                    item.set_result(make_one(number))
                except BaseException as error:  # noqa: BLE001 - whatever it is, it is raised where the item is taken
                    item.set_exception(error)
        finally:
            in_order.put(None)

    with ThreadPoolExecutor(at_once, "make") as pool:
        threads = [pool.submit(take_and_make) for _ in range(at_once)]
        try:
            while item := in_order.get():
                yield item.result()
                room.release()
        finally:
            over.set()
            room.release(at_once)
        for thread in threads:
            thread.result()  # raises what the numbers raised
