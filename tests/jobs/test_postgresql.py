"""What only a shared queue does: several servers at once, leases, and a database that goes away and comes back."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import inspect, text

from triptych.core.errors import InvalidRequest
from triptych.jobs import StaleAttempt, StorageError, Store
from triptych.jobs.crash import arm
from triptych.jobs.database import open_postgresql
from triptych.jobs.migrations import MIGRATIONS, current, migrate
from triptych.jobs.running import LEASE_SECONDS

from .conftest import new
from .postgresql import Cluster

pytestmark = pytest.mark.postgresql


@pytest.fixture
def address(cluster: Cluster) -> str:
    return cluster.new_database("shared")


@pytest.fixture
def two(address: str) -> Iterator[tuple[Store, Store]]:
    stores = Store.open(address), Store.open(address)
    yield stores
    for store in stores:
        store.close()


def together(*works: object) -> None:
    threads = [threading.Thread(target=work) for work in works]  # type: ignore[arg-type]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_two_servers_never_claim_the_same_job(two: tuple[Store, Store]) -> None:
    for number in range(120):
        two[0].submit(new(str(number)))
    claimed: Counter[str] = Counter()

    def work(store: Store, worker: str) -> None:
        while jobs := store.claim(worker, 3):
            claimed.update(job.id for job in jobs)
            for job in jobs:
                store.finish(job.id, job.attempts, {"by": worker})

    together(*(lambda store=two[n % 2], n=n: work(store, f"w{n}") for n in range(4)))
    assert sorted(claimed.values()) == [1] * 120
    assert two[1].counts() == {"done": 120}


def test_one_key_at_two_servers_is_one_job(two: tuple[Store, Store]) -> None:
    answers: list[tuple[str, bool]] = []

    def submit(store: Store) -> None:
        for key in range(20):
            submitted = store.submit(new(), key=f"k{key}")
            answers.append((submitted.job.id, submitted.replayed))

    together(*(lambda store=two[n % 2]: submit(store) for n in range(8)))
    assert len(answers) == 160
    assert len({job for job, _ in answers}) == sum(not replayed for _, replayed in answers) == 20


def test_a_machine_that_is_not_heard_of_loses_its_jobs(two: tuple[Store, Store]) -> None:
    here, there = two
    held, lost = (here.submit(new()).job.id for _ in range(2))
    here.claim("silent", 2)
    assert there.claim("other", 9) == []
    # Let time pass: leases are by the database's clock, so they are turned back there. One job is held again in time.
    with there.database.writer.begin() as connection:
        connection.execute(text("UPDATE jobs SET lease = lease - :s"), {"s": LEASE_SECONDS + 1})
    assert here.beat("silent", [held]) == []
    (again,) = there.claim("other", 9)
    assert (again.id, again.attempts, again.failures) == (lost, 2, 1)
    assert here.beat("silent", [held, lost]) == [lost]
    with pytest.raises(StaleAttempt):
        here.finish(lost, 1, {})
    there.finish(lost, 2, {})


def test_servers_that_start_together_migrate_once(address: str) -> None:
    stores: list[Store] = []
    together(*(lambda: stores.append(Store.open(address)) for _ in range(6)))
    assert len(stores) == 6
    with stores[0].database.reader.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM job_schema")).scalar_one() == len(MIGRATIONS)
    for store in stores:
        store.close()


class Killed(BaseException):
    pass


def test_a_kill_at_any_statement_of_a_migration_leaves_nothing(cluster: Cluster) -> None:
    database = open_postgresql(cluster.new_database("interrupted"))
    points = len(MIGRATIONS[0].statements("postgresql")) + 3

    def kill_at(point: int) -> Callable[[str], None]:
        left = iter(range(point))

        def kill(name: str) -> None:
            if next(left, None) is None:
                raise Killed

        return kill

    for point in range(points):
        arm(kill_at(point))
        try:
            with database.writer.connect() as connection, pytest.raises(Killed):
                migrate(connection)
        finally:
            arm(None)
        with database.writer.connect() as connection:
            assert inspect(connection).get_table_names() == []
            assert current(connection) == 0
    with database.writer.connect() as connection:
        assert migrate(connection) == [migration.number for migration in MIGRATIONS]
    database.close()


def test_a_crash_of_the_database_loses_nothing_and_needs_no_restart_of_ours(cluster: Cluster, address: str) -> None:
    store = Store.open(address)
    accepted = [store.submit(new(str(number))).job.id for number in range(10)]
    store.claim("w", 3)
    cluster.crash()
    with pytest.raises(StorageError, match="cannot write to the job queue"):
        store.submit(new("nobody hears"))
    with pytest.raises(StorageError, match="cannot read the job queue"):
        store.get(accepted[0])
    cluster.start()
    assert {job.id for job in store.list(limit=100)} == set(accepted)
    store.submit(new("after"))
    assert store.counts() == {"queued": 8, "running": 3}
    store.close()


@pytest.mark.parametrize("address", ["mysql://here/x", "sqlite:///x.db", "postgresql+asyncpg2://x:y:z"])
def test_other_databases_are_refused_in_a_sentence(address: str) -> None:
    with pytest.raises(InvalidRequest, match="database"):
        Store.open(address)
