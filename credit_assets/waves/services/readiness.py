"""Which locations of a wave can be scored now. Without a service all of them can.

With services, a location is ready as soon as all of them have answered, or one of them has failed. A chunk takes what
is ready: it waits until it is full, or until no answer is awaited, but not for long. So a slow service delays only the
locations that it is slow for.

Belongs here: the answers, and how long a chunk waits for them. Does not belong here: what an answer must be
(`answers`), and how many locations a chunk has (`plans.chunks`).
"""

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from credit_assets.settings.file import Settings
from credit_assets.tables.kinds import make_schema
from credit_assets.waves.failures.log import make_call_steps
from credit_assets.waves.failures.steps import Step
from credit_assets.waves.outcomes import Failed
from credit_assets.waves.plans.chunks import Chunk, choose_chunk
from credit_assets.waves.services.answers import STEPS_OF_A_PATH, describe_service, make_request
from resources.services.calls.background import Replies, ask_in_background
from resources.services.calls.service import Reply

if TYPE_CHECKING:
    import pyarrow as pa

# A chunk waits so long for other locations after one is ready, and looks so often.
PATIENCE_SECONDS, LOOK_SECONDS = 1.0, 0.25


class Readiness:
    """What services have said so far about the locations of one attempt.

    The services are asked when the first chunk is chosen, about the locations that no earlier attempt has scored.

    Args:
        settings: with a section `scoring`.
        on_wait: is called again and again while a chunk waits for answers.

    Attributes:
        failed: the locations whose service has failed.
        steps: the calls for each location.

    Raises:
        DeploymentError: the variable of a token is not set.
    """

    def __init__(self, settings: Settings, on_wait: Callable[[], None] = lambda: None) -> None:
        self._on_wait = on_wait
        self._scoring, self._features = settings.require_scoring(), settings.features
        self._services = [(describe_service(each), each) for each in self._scoring.services]
        self._answered: defaultdict[str, dict[str, Any]] = defaultdict(dict)
        self._replies: Replies | None = None
        self._stack = ExitStack()
        self.failed = dict[str, Failed]()
        self.steps = defaultdict[str, list[Step]](list)

    def choose_next(self, left: Mapping[str, int]) -> Chunk:
        """The next chunk, as soon as it is full or has waited for long enough.

        Args:
            left: open applications of each location that no chunk has yet, in the order of the plan.
        """
        if not self._services:
            return choose_chunk(left)
        self._replies = self._replies or self._ask(left)
        first_ready = None
        while True:
            chunk, now = choose_chunk(left, self.is_ready), time.monotonic()
            if chunk.is_full or self._replies.is_done:
                return chunk
            if chunk.locations:
                first_ready = first_ready or now
                if now - first_ready >= PATIENCE_SECONDS:
                    return chunk
            for reply in self._replies.collect(LOOK_SECONDS):
                self._take(reply)
            self._on_wait()

    def foresee_next(self, left: Mapping[str, int], taken: Collection[str]) -> Chunk:
        """The chunk that probably follows one with the locations `taken`.

        It is empty with services, because nobody knows whose answer comes next.
        """
        chosen = set(taken)
        return Chunk((), is_full=False) if self._services else choose_chunk(left, lambda each: each not in chosen)

    def is_ready(self, location: str) -> bool:
        """Whether a location can be scored now, or has failed."""
        return location in self.failed or len(self._answered.get(location, ())) == len(self._scoring.answered_columns)

    def complete(self, applications: "pa.Table") -> "pa.Table":
        """Adds the columns that services answered.

        Args:
            applications: of locations that were answered.

        Returns:
            The same rows, with the features in their order.
        """
        import pyarrow as pa

        if not self._services:
            return applications
        codes = applications.column(self._scoring.location).combine_chunks().dictionary_encode()
        names = codes.dictionary.to_pylist()
        schema = make_schema({name: self._features[name].type for name in self._scoring.answered_columns})
        for field in schema:
            values = pa.array([self._answered[name][field.name] for name in names], field.type)
            applications = applications.append_column(field, values.take(codes.indices))
        return applications.select([self._scoring.location, self._scoring.id, *self._features])

    def close(self) -> None:
        """Ends the calls that are under way."""
        self._stack.close()

    def _ask(self, left: Mapping[str, int]) -> Replies:
        for location in left.keys() & set(STEPS_OF_A_PATH):
            cause = "a name that can't stand in an address"
            self.failed[location] = Failed(location, f"services: {cause}", f"{location!r} is {cause}: rename it", 0.0)
        requests = [make_request(service, declared, self._features, left) for service, declared in self._services]
        return self._stack.enter_context(ask_in_background(requests))

    def _take(self, reply: Reply[Any]) -> None:
        self.steps[reply.key] += make_call_steps(reply.service, reply.tries)
        if reply.value is not None:
            self._answered[reply.key].update(reply.value)
        elif reply.key not in self.failed:
            cause, seconds = f"service {reply.service}: {reply.cause}", round(reply.seconds, 3)
            message = f"service {reply.service}: {reply.message}, after {len(reply.tries)} tries"
            self.failed[reply.key] = Failed(reply.key, cause, message, seconds)


@contextmanager
def open_readiness(settings: Settings, on_wait: Callable[[], None] = lambda: None) -> Iterator[Readiness]:
    """The answers of one attempt. At the end of the context no call is under way.

    Args:
        settings: with a section `scoring`.
        on_wait: is called again and again while a chunk waits for answers.

    Raises:
        DeploymentError: the variable of a token is not set.
    """
    readiness = Readiness(settings, on_wait)
    try:
        yield readiness
    finally:
        readiness.close()
