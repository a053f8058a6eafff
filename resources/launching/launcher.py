"""The run launcher: Dagster's for Kubernetes, for which a worker is alive while it renews its lease.

Belongs here: Dagster's methods, and what is done about a verdict on a worker. Does not belong here: the verdict itself
(resources/launching/verdict.py), and calls to the API server (resources/launching/kubernetes_jobs.py).
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

import dagster as dg
from dagster_k8s import K8sRunLauncher
from dagster_k8s.job import get_job_name_from_run_id

# The result of the health check has no public name (decision 0015).
from dagster_k8s.launcher import (
    CheckRunHealthResult,  # pyright: ignore[reportPrivateImportUsage]
    WorkerStatus,  # pyright: ignore[reportPrivateImportUsage]
)

from resources.error_texts import is_forbidden_field
from resources.history.tags import CRASHED, LOST_AT, MAX_RETRIES, NODE, NUMBER, RETRIES_STOPPED, ROOT, UNTAKEN
from resources.launching.knocking import call_holders
from resources.launching.kubernetes_jobs import LONG_TIME_LIMIT, Job, KubernetesJobs, NoAnswer
from resources.launching.placement import describe_attempt, place_attempt
from resources.launching.reach import Reach
from resources.launching.silence import STANDBY, SilenceWatch
from resources.launching.verdict import Facts, JobState, Verdict, is_untaken_too_long, judge
from resources.supervision.lease_table import Leases, name_run_lease

if TYPE_CHECKING:
    from dagster_k8s.container_context import K8sContainerContext

Answer = TypeVar("Answer")
# HTTP statuses with which the API server refuses an object that can never be valid.
INVALID = (400, 422)
# After this time Kubernetes has noticed the loss of a node, and chooses it for no pod. No more failures are looked at.
RECENTLY, MOST_RECENT = timedelta(minutes=1), 100
HEALTHY = CheckRunHealthResult(WorkerStatus.RUNNING)


class WatchedLeases(Protocol):
    """What the launcher needs of the table of leases."""

    def find_deadline(self, name: str) -> datetime | None:
        """The deadline of a lease; None if there is no such lease."""
        ...

    def revoke(self, name: str, deadline: datetime) -> bool:
        """Takes a lease from its holder, unless its deadline has moved; whether it did."""
        ...

    def refuse(self, name: str) -> bool:
        """Makes sure that nobody takes a lease that nobody has taken yet; whether nobody can take it now."""
        ...


class LeasedK8sRunLauncher(K8sRunLauncher):
    """`K8sRunLauncher`, with its config, that gives a worker up if its lease falls silent or its Job has ended.

    Stock Dagster notices a lost node only after Kubernetes has, about a minute later. It also takes one refused
    connection, or one answer 429 or 502, for the death of a worker: it fails a healthy run, and starts its retry beside
    it. Here a question without an answer is an error, which the monitor logs before it asks again.

    A worker that is given up is fenced first: its lease is revoked, then its run is tagged, then its Job is deleted.
    The address of the leases is in libpq's environment variables (PGHOST, …).

    Args:
        lease_seconds: how long a lease may be silent.
        unreachable_seconds: the same if its holder can't be reached either.
        start_timeout_seconds: how long a run may take to begin.
        witness: host and port of those who must answer when a holder does not; empty: holders are not called.
        crash_retries: how often a run is retried whose worker ended by itself. The budget for lost workers is larger.
        spot_attempts: attempts that are bound to spot nodes; later ones avoid them.
        leases: the table of leases; None: the one in libpq's database.
        silence: measures for how long a lease was silent; None: starts with what this daemon saw as a standby.
        untaken: measures for how long a node has not taken a pod.
        reach: calls holders; None: over the network.
        stock: the arguments of `K8sRunLauncher`.
    """

    def __init__(
        self,
        lease_seconds: int,
        crash_retries: int,
        spot_attempts: int,
        unreachable_seconds: int,
        start_timeout_seconds: int,
        witness: str,
        leases: WatchedLeases | None = None,
        silence: SilenceWatch | None = None,
        untaken: SilenceWatch | None = None,
        reach: Reach | None = None,
        **stock: Any,
    ) -> None:
        super().__init__(**stock)
        self._lease_seconds, self._crash_retries, self._spot_attempts = lease_seconds, crash_retries, spot_attempts
        self._unreachable_seconds, self.start_timeout_seconds = unreachable_seconds, start_timeout_seconds
        self._leases, self._reach = leases or Leases("", "run monitoring"), reach or call_holders(witness)
        self._silence, self._untaken = silence or STANDBY.copy(), untaken or SilenceWatch()
        self.jobs = KubernetesJobs(self._api_client)

    @classmethod
    def config_type(cls) -> Any:
        limits = {"lease_seconds": 8, "unreachable_seconds": 3, "start_timeout_seconds": 600}
        defaults = {**limits, "crash_retries": 2, "spot_attempts": 4}
        fields = {name: dg.Field(int, default_value=value) for name, value in defaults.items()}
        fields["witness"] = dg.Field(str, default_value="")
        return {**cast("dict[str, Any]", super().config_type()), **fields}

    def get_container_context_for_run(self, dagster_run: dg.DagsterRun) -> "K8sContainerContext":
        """Stock's, with the place of this attempt, and what its pod is told about it."""
        context, attempt = super().get_container_context_for_run(dagster_run), int(dagster_run.tags.get(NUMBER, "0"))
        config, avoided = context.run_k8s_config, self._find_nodes_to_avoid(dagster_run)
        spec = place_attempt(config.pod_spec_config, attempt, self._spot_attempts, avoided)
        variables = [*config.container_config.get("env", []), *describe_attempt(spec, attempt)]
        by_name = {each["name"]: each for each in variables}  # Kubernetes uses the later of two with one name
        container = {**config.container_config, "env": list(by_name.values())}
        return context._replace(run_k8s_config=config._replace(pod_spec_config=spec, container_config=container))

    def _find_nodes_to_avoid(self, run: dg.DagsterRun) -> set[str]:
        """The node of the attempt before, and each node of a run that failed a moment ago, for whatever reason."""
        failed = dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE], updated_after=datetime.now(UTC) - RECENTLY)
        recent = self._instance.get_runs(failed, limit=MOST_RECENT)
        parent = self._instance.get_run_by_id(run.parent_run_id) if run.parent_run_id else None
        return {each.tags[NODE] for each in [*recent, *([parent] if parent else [])] if NODE in each.tags}

    def launch_run(self, context: Any) -> None:
        """Stock's. A run that can't be launched as it is fails once, because twenty retries would fail as it did."""
        run = context.dagster_run
        self._restore_retries(run)
        try:
            super().launch_run(context)
        except Exception as error:
            if is_refused(error):
                self._instance.add_run_tags(run.run_id, {MAX_RETRIES: "0", RETRIES_STOPPED: run.run_id})
            raise

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Whether the worker of a run lives. A worker that does not is fenced when this returns.

        Raises:
            NoAnswer: PostgreSQL or the API server did not answer, so nothing is known.
        """
        found = self._check_worker(run)
        if found is not HEALTHY:  # the retry asks for the same concurrency slots, and must not wait for them
            self._instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
        return found

    def give_up_untaken(self, run: dg.DagsterRun) -> str | None:
        """Gives up a run whose pod lies on a node that does not take it. Nobody can begin to work on it after this.

        Kubernetes takes about a minute to notice that a node is lost, and chooses it for new pods until then.

        Returns:
            The name of the node; None if the run is not given up.

        Raises:
            NoAnswer: PostgreSQL or the API server did not answer, so nothing is known.
        """
        node = self._ask_kubernetes(self.jobs.find_untaken_node, self.locate_job(run))
        again = run.parent_run_id is not None and run.tags.get(UNTAKEN) == run.parent_run_id
        seconds = self._untaken.measure(name_run_lease(run.run_id), node)
        if node is None or not is_untaken_too_long(seconds, again) or not self.refuse_worker(run):
            return None
        self._instance.add_run_tags(run.run_id, {UNTAKEN: run.run_id, NODE: node})
        return node

    def refuse_worker(self, run: dg.DagsterRun) -> bool:
        """Makes sure that nobody can begin to work on a run any more. False: its worker began at the last moment.

        Raises:
            NoAnswer: PostgreSQL did not answer, so nothing is known.
        """
        if not self._ask_leases(self._leases.refuse, name_run_lease(run.run_id)):
            return False
        self._instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
        self.jobs.delete_in_background(self.locate_job(run))
        return True

    def _check_worker(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        lease = name_run_lease(run.run_id)
        deadline = self._ask_leases(self._leases.find_deadline, lease)
        facts = self._gather_facts(run, None if deadline is None else self._silence.measure(lease, deadline))
        if judge(facts) in (Verdict.ALIVE, Verdict.SILENT):
            return HEALTHY
        if deadline is not None:
            if not self._ask_leases(self._leases.revoke, lease, deadline):
                return HEALTHY  # it renewed at the last moment
            if facts.job is JobState.ENDED:
                facts = replace(facts, out_of_memory=self.jobs.ran_out_of_memory(self.locate_job(run)))
        if judge(facts) is Verdict.CRASHED:
            number = self.count_crash(run)
            return CheckRunHealthResult(WorkerStatus.FAILED, f"its worker ended by itself, crash {number} of this run")
        if facts.job is JobState.ENDED:
            return CheckRunHealthResult(WorkerStatus.FAILED, "its pod was taken away")
        if deadline is None:
            return CheckRunHealthResult(WorkerStatus.UNKNOWN, "its Job is gone, and no worker holds its lease")
        last_renewal = deadline.timestamp() - self._lease_seconds
        self._instance.add_run_tags(run.run_id, {LOST_AT: f"{last_renewal:.1f}"})
        # In the background, because the API server may be as far away as the worker.
        self.jobs.delete_in_background(self.locate_job(run))
        unreachable = ", can't be reached" if facts.is_unreachable else ""
        return CheckRunHealthResult(
            WorkerStatus.UNKNOWN,
            f"its worker has not renewed its lease for {facts.silent_seconds:.0f} s{unreachable}, and was given up",
        )

    def _gather_facts(self, run: dg.DagsterRun, silent_seconds: float | None) -> Facts:
        """Asks Kubernetes only if the lease and its holder allow no verdict."""
        facts = Facts(
            self._lease_seconds, self._unreachable_seconds, silent_seconds, self._is_lost(run, silent_seconds)
        )
        if judge(facts) is not Verdict.SILENT:
            return facts
        facts = replace(facts, job=self.find_job_state(run))
        now = self._instance.get_run_by_id(run.run_id) if facts.job is JobState.ENDED else run
        return replace(facts, run_moved_on=now is None or now.status is not run.status)

    def _is_lost(self, run: dg.DagsterRun, silent_seconds: float | None) -> bool:
        if silent_seconds is None or self._reach is None:
            return False
        return self._reach.is_lost(
            name_run_lease(run.run_id), silent_seconds, lambda: self.jobs.find_host(self.locate_job(run))
        )

    def count_crash(self, run: dg.DagsterRun) -> int:
        """Notes on a run that its worker ended by itself, and stops its retries if that happened too often.

        Returns:
            The number of such ends among the run and the attempts before it.
        """
        root = run.root_run_id or run.run_id
        attempts = [*self._instance.get_runs(dg.RunsFilter(tags={ROOT: root})), self._instance.get_run_by_id(root)]
        before = sum(each.tags.get(CRASHED) == each.run_id for each in attempts if each and each.run_id != run.run_id)
        stop = {MAX_RETRIES: "0", RETRIES_STOPPED: run.run_id} if before >= self._crash_retries else {}
        self._instance.add_run_tags(run.run_id, {CRASHED: run.run_id, **stop})
        return before + 1

    def get_run_worker_debug_info(self, run: dg.DagsterRun, include_container_logs: bool | None = True) -> str:
        """Stock's, within a time limit: the monitor asks for it too.

        Raises:
            NoAnswer: the API server did not answer.
        """
        found = self.jobs.ask(
            super().get_run_worker_debug_info, run, include_container_logs, time_limit=LONG_TIME_LIMIT
        )
        return found or "Kubernetes knows no Job of this run."

    def find_job_state(self, run: dg.DagsterRun) -> JobState:
        """The state of the Job of a run.

        Raises:
            NoAnswer: the API server did not answer.
        """
        return self._ask_kubernetes(self.jobs.find_state, self.locate_job(run))

    def has_begun(self, run: dg.DagsterRun) -> bool:
        """Whether a worker of the run has taken its lease and has not ended by itself since, given up or not.

        Raises:
            NoAnswer: PostgreSQL did not answer.
        """
        return self._ask_leases(self._leases.find_deadline, name_run_lease(run.run_id)) is not None

    def locate_job(self, run: dg.DagsterRun) -> Job:
        """Returns where Kubernetes has the Job of a run. It never has two, because runs are retried and not resumed."""
        namespace = super().get_container_context_for_run(run).namespace
        return Job(get_job_name_from_run_id(run.run_id), namespace or self.job_namespace)

    def _ask_kubernetes(self, ask: Callable[[Job], Answer], job: Job) -> Answer:
        try:
            return ask(job)
        except NoAnswer:
            self._untaken.restart()  # no node can say either that it has taken a pod
            raise

    def _ask_leases(self, ask: Callable[..., Answer], *arguments: Any) -> Answer:
        import psycopg2

        try:
            return ask(*arguments)
        except psycopg2.Error as error:
            self._silence.restart()
            raise NoAnswer(f"the leases can't be read: {' '.join(str(error).split())}") from None

    def _restore_retries(self, run: dg.DagsterRun) -> None:
        """Gives a run its retries back that inherited the end of them from the run that somebody re-executes."""
        if run.tags.get(RETRIES_STOPPED, run.run_id) != run.run_id and run.tags.get(MAX_RETRIES) == "0":
            most = self._instance.run_retries_max_retries
            self._instance.add_run_tags(run.run_id, {MAX_RETRIES: str(most)})


def is_refused(error: Exception) -> bool:
    """Whether a run can never be launched as it is: it asks for what is not allowed, or its Job is invalid."""
    refusal = getattr(error, "k8s_api_exception", error)
    is_invalid = isinstance(error, dg.DagsterInvalidConfigError) or getattr(refusal, "status", None) in INVALID
    return is_invalid or is_forbidden_field(error)
