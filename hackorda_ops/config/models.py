"""What an operator writes in databases.yaml: every key, its default and its accepted values.

Secrets are names of environment variables here; `hackorda_ops.environment` looks them up at run
time, so Dagster's definitions load with no secret set and no database reachable.
"""

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from hackorda_ops.config import engines
from hackorda_ops.config.alerts import Alerts
from hackorda_ops.config.cutover import CutoverPlan
from hackorda_ops.config.defaults import with_defaults
from hackorda_ops.config.encryption import IdentitySection, Recipient
from hackorda_ops.config.expectations import KeyTable, Migrate, Objectives, Tolerances
from hackorda_ops.config.history import HistoryPlace, kept_history
from hackorda_ops.config.hooks import ExerciseSection, Recover
from hackorda_ops.config.offsite import OFFSITE, STORE, OffsiteBucket, OffsitePlaces
from hackorda_ops.config.places import S3, Folder, StorePlace
from hackorda_ops.config.proof import ProofSection
from hackorda_ops.config.receipts import Receipts
from hackorda_ops.config.reports import Reports
from hackorda_ops.config.retention import Keep, Retention
from hackorda_ops.config.scratch import SCRATCH_SECTIONS, ScratchPlace
from hackorda_ops.config.source import Source
from hackorda_ops.config.values import Cron, Owner, Section, TimeZoneName, VariableName


class Schedule(Section):
    """When things run, as cron expressions in `timezone`.

    The week's tick should be late in its week (Monday to Sunday), after that day's night. The
    quarter's cron may tick every week: only its first tick in a quarter starts a drill; likewise
    the recovery exercise's in a year, by default a week before the first quarter ends.

    Attributes:
        timezone: of all the times below, as an IANA name.
        night: when a night is taken.
        week: when one of the week's nights goes off-site.
        quarter: when a quarter's drill starts: the first such time in the quarter.
        exercise: when the year's recovery exercise starts: the first such time in the year.
        retention: when artifacts that the policy doesn't keep are deleted.
        since: the first night that Dagster shows, and that can be missed. By default the day on which the database was
            first seen: by Dagster, or by the oldest artifact in its store.
        grace_hours: how long after its time something may be missing before it's overdue. The default leaves
            room for a dump with its retries, and reports a missed night the same morning.
    """

    timezone: TimeZoneName = "UTC"
    night: Cron = "0 2 * * *"
    week: Cron = "0 4 * * 0"
    quarter: Cron = "0 6 * * 0"
    exercise: Cron = "0 9 25 3 *"
    retention: Cron = "0 7 * * 0"
    since: Annotated[date | None, Field(examples=["2026-11-08"])] = None
    grace_hours: Annotated[float, Field(gt=0)] = 6


class Dump(Section):
    """How the dump is taken.

    Attributes:
        jobs: how many processes dump, restore and read the dump back at a time.
        deadline_hours: after which a dump is stopped.
        yield_after_seconds: how long others may wait for a lock behind a night; then it releases everything and
            starts over when the way is clear.
        compare_with_source_percent: how much of the dump's time (at least 5 seconds) a night may also take to read
            tables from the source, and compare their values with the dump's. What doesn't fit gets its turn in the
            following nights; a dump from a branch is compared completely. 0 turns it off.
        work_folder: where an artifact is kept while it's built for an S3 store, or fetched from one.
    """

    jobs: Annotated[int, Field(ge=1, le=32)] = 2
    deadline_hours: Annotated[float, Field(gt=0)] = 12
    yield_after_seconds: Annotated[float, Field(gt=0)] = 5
    compare_with_source_percent: Annotated[float, Field(ge=0, le=100)] = 10
    work_folder: Path = Path("work")


class Costs(Section):
    """What a gigabyte (10^9 bytes) costs for a month, in US dollars; without a price, only bytes are reported.

    There's no default: prices differ by provider, region and storage class, and change.

    Attributes:
        store_usd_per_gb_month: in the nightly store.
        offsite_usd_per_gb_month: in the off-site bucket.
    """

    store_usd_per_gb_month: Annotated[Annotated[float, Field(ge=0)] | None, Field(examples=[0.023])] = None
    offsite_usd_per_gb_month: Annotated[Annotated[float, Field(ge=0)] | None, Field(examples=[0.006])] = None


class Heartbeats(Section):
    """Variables with the URLs that an external monitor expects to be called, as with healthchecks.io.

    The URL itself is called after a success, URL/start and URL/fail at a start and a failure. Without one nothing is
    called.

    Attributes:
        night_env: for the nights.
        week_env: for the weekly copies.
        quarter_env: for the drills.
        year_env: for the recovery exercises.
    """

    night_env: Annotated[VariableName | None, Field(examples=["NIGHT_PING_URL"])] = None
    week_env: Annotated[VariableName | None, Field(examples=["WEEK_PING_URL"])] = None
    quarter_env: Annotated[VariableName | None, Field(examples=["DRILL_PING_URL"])] = None
    year_env: Annotated[VariableName | None, Field(examples=["EXERCISE_PING_URL"])] = None


class Policy(Section):
    """How one database is protected: what is read, where copies go, when, and what is expected of them.

    Attributes:
        engine: what kind of database it is.
        beside: the name of another database, in whose group its assets are shown: a team's Redis beside its Postgres.
        owners: who answers for it, as Dagster shows it beside its assets: e-mail addresses, or `team:NAME`.
        source: the live database.
        dump_from: what nights are read from. "branch": a Neon branch of the source, made for the night, and
            nothing else. "source": the live database. Where it's not given: a branch if the source is the
            default branch of the project in `scratch.neon` whose variables are set, and if nothing on a branch
            would act on its own or be missing (pg_cron, subscriptions, unlogged tables); otherwise the source.
        scratch: where a drill restores.
        store: where the nights' artifacts lie: a folder (not on the database's machine) or a bucket.
        offsite: the bucket in another account or at another provider; or a list of such buckets, each of which gets a
            copy.
        copies: how often an artifact goes off-site. "weekly": the nights are in the store, and one of each week is
            copied. "nightly": the nights go straight to the off-site bucket, which is then the store as well;
            the provider's history is the other copy. With a list, the first bucket is that store, and the others get
            one night of each week.
        history: who keeps a past of the source that copies of it can be made of; by default the provider of
            scratch, where that keeps one (Neon).
        key_tables: the tables that a drill also compares with production.
        migrate: the team's own migration command, run on the restored copy.
        recover: recovery to a point in time.
        cutover: how the database moves to another server, for `hackorda-ops cutover`.
        exercise: the yearly recovery exercise.
        schedule: when things run.
        tolerances: what is suspicious.
        objectives: what a drill is measured against.
        dump: how the dump is taken.
        proof: how nights are proven: restored, and compared in full.
        encrypt_to: whom artifacts are encrypted to, with age: recipients (age1…, ssh-ed25519 …, ssh-rsa …), each of
            whom can open them alone, and paths of files of recipients. They are public. Without any, artifacts
            aren't encrypted.
        identity: where the identity that opens encrypted artifacts is found.
        retention: what is deleted, and what is kept.
        heartbeats: what an external monitor expects to be called.
        reports: how reports are opened in a browser.
        receipts: how receipts are signed.
        costs: what storage costs.
    """

    engine: str = engines.FIRST
    beside: Annotated[str | None, Field(examples=["hackorda"])] = None
    owners: Annotated[tuple[Owner, ...], Field(examples=[["team:ops"]])] = ()
    source: Source = Source()
    dump_from: Literal["branch", "source"] | None = None
    scratch: ScratchPlace = Field(default_factory=lambda: ScratchPlace.model_validate({}))
    history: HistoryPlace | None = None
    store: StorePlace = Folder(folder=Path("backups"))
    offsite: OffsitePlaces = OffsiteBucket()
    copies: Literal["weekly", "nightly"] = "weekly"
    key_tables: tuple[KeyTable, ...] = ()
    migrate: Migrate | None = None
    recover: Recover = Recover()
    cutover: CutoverPlan | None = None
    exercise: ExerciseSection = ExerciseSection()
    schedule: Schedule = Schedule()
    tolerances: Tolerances = Tolerances()
    objectives: Objectives = Objectives()
    dump: Dump = Dump()
    proof: ProofSection = ProofSection()
    encrypt_to: Annotated[
        tuple[Recipient, ...],
        Field(examples=[["age1w9tzh3anhkeet0ahtd0u8x37lm2gwqw4vy5ynuv7unhe8qzqa9js7l3fke"]]),
    ] = ()
    identity: IdentitySection | None = None
    retention: Retention = Retention()
    heartbeats: Heartbeats = Heartbeats()
    reports: Reports = Reports()
    receipts: Receipts = Receipts()
    costs: Costs = Costs()

    @model_validator(mode="before")
    @classmethod
    def _all_defaults(cls, value: Any) -> Any:
        return {} if value is None else value

    @model_validator(mode="before")
    @classmethod
    def _scratch_of_its_engine(cls, value: Any) -> Any:
        if not isinstance(value, dict) or "scratch" in value or "engine" not in value:
            return value
        key = next((key for key, each in SCRATCH_SECTIONS.items() if each.engine == value["engine"]), None)
        return value if key is None else {**value, "scratch": {key: {}}}

    @model_validator(mode="after")
    def _engine_is_known(self) -> "Policy":
        if self.engine not in engines.KNOWN:
            raise ValueError(f"engine: needs one of {', '.join(sorted(engines.KNOWN))}, not {self.engine!r}")
        if self.cutover and self.engine != engines.FIRST:
            raise ValueError(
                f"cutover: a cutover moves a database of the engine {engines.FIRST}, not {self.engine}"
            )
        if self.scratch.section.engine != self.engine:
            raise ValueError(f"scratch.{self.scratch.provider} holds no database of the engine {self.engine}")
        if self.engine != engines.FIRST:
            keys: dict[str, object] = {
                "key_tables": self.key_tables,
                "migrate": self.migrate,
                "dump_from": self.dump_from,
            }
            keys |= {
                "source.variables": self.source.variables,
                "source.direct_url_env": self.source.direct_url_env,
            }
            if given := [key for key, value in keys.items() if value]:
                raise ValueError(
                    f"{', '.join(given)}: only a database of the engine {engines.FIRST} has these"
                )
        return self

    @model_validator(mode="after")
    def _identity_is_in_one_place(self) -> "Policy":
        if self.identity and len(self.identity.named) != 1:
            raise ValueError("identity: needs exactly one of env, file and command")
        return self

    @model_validator(mode="after")
    def _branches_have_a_project(self) -> "Policy":
        if self.dump_from == "branch" and not self.keeps_history:
            raise ValueError("dump_from: branch needs a history: scratch.neon or history.barman")
        if self.migrate and self.migrate.also_on_branch and not self.keeps_history:
            raise ValueError("migrate.also_on_branch needs a history: scratch.neon or history.barman")
        return self

    @property
    def kept_history(self) -> HistoryPlace | None:
        """Who keeps the source's history: `history`, or else the provider of scratch; None where nobody does."""
        return kept_history(self.history, self.scratch)

    @property
    def keeps_history(self) -> bool:
        """Whether anybody keeps a past of the source that copies can be made of."""
        return self.kept_history is not None

    @model_validator(mode="after")
    def _one_place_of_nightly_copies(self) -> "Policy":
        if self.copies == "nightly":
            first = next(iter(self.offsites.values()))
            if "store" in self.model_fields_set and not first.is_written_as(self.store):
                raise ValueError("copies: nightly sends the nights straight to offsite; leave out store")
            object.__setattr__(self, "store", first)
        return self

    @property
    def offsites(self) -> Mapping[str, OffsiteBucket]:
        """The buckets off-site by their names, in the order of the file; a single one is called "offsite"."""
        if isinstance(self.offsite, OffsiteBucket):
            return {self.offsite.name or OFFSITE: self.offsite}
        return {each.name or OFFSITE: each for each in self.offsite}

    @property
    def copied_to(self) -> tuple[str, ...]:
        """The names of the off-site buckets that get a copy of each week."""
        return tuple(self.offsites)[1 if self.copies == "nightly" else 0 :]

    @property
    def has_weeks(self) -> bool:
        """Whether anything is copied at all."""
        return bool(self.copied_to)

    def keep_in(self, place: str) -> Keep | None:
        """How much is kept in a place; None for everything.

        Args:
            place: "store", or the name of a bucket off-site.
        """
        return self.retention.store if place == STORE else self.offsites[place].keep(self.retention.offsite)

    @property
    def deletes(self) -> bool:
        """Whether retention has anything to do: something to delete, or locks to extend."""
        places = (*(() if self.copies == "nightly" else (STORE,)), *self.offsites)
        locks = any(isinstance(place, S3) and place.locked for place in (self.store, *self.offsites.values()))
        return locks or any(self.keep_in(each) is not None for each in places)

    @model_validator(mode="after")
    def _migrates_as_it_connects(self) -> "Policy":
        if self.migrate and self.source.variables and not self.migrate.variables:
            migrate = self.migrate.model_copy(update={"variables": self.source.variables})
            object.__setattr__(
                self, "migrate", migrate
            )  # a default that depends on another key; frozen from here on
        return self


def _read_by_the_collector(value: Path) -> Path:
    if value.suffix != ".prom":
        raise ValueError("needs a path that ends in .prom: node_exporter reads no other")
    return value


MetricsFile = Annotated[Path, AfterValidator(_read_by_the_collector)]


class Config(Section):
    """databases.yaml.

    Attributes:
        databases: the databases, by their names.
        defaults: what they share: each database's own keys go before these, key by key. Lists are not joined.
        alerts: where alarms go.
        metrics_file: where metrics are written for Prometheus, in the folder of node_exporter's textfile
            collector, which exists; without it, none are written.
    """

    databases: Annotated[dict[str, Policy], Field(min_length=1)]
    defaults: Policy = Policy()
    alerts: Alerts = Alerts()
    metrics_file: Annotated[
        MetricsFile | None, Field(examples=["/var/lib/node_exporter/textfile/hackorda_ops.prom"])
    ] = None

    @model_validator(mode="before")
    @classmethod
    def _shared(cls, value: Any) -> Any:
        return with_defaults(value) if isinstance(value, dict) else value

    @model_validator(mode="after")
    def _sound_together(self) -> "Config":
        problems = []
        readers: dict[tuple[str, ...], str] = {}
        for name, database in self.databases.items():
            if not re.fullmatch(r"[A-Za-z0-9_]+", name):
                problems.append(f"databases.{name}: needs a name of letters, digits and underscores")
            named = database.source.named
            if named in readers:
                key = "variables" if database.source.variables else "url_env"
                problems.append(
                    f"databases.{name}.source.{key}: {', '.join(named)} is already the source of "
                    f"{readers[named]!r}; give each database a variable of its own"
                )
            readers[named] = name
            if database.beside is not None and database.beside not in self.databases:
                problems.append(f"databases.{name}.beside: there's no database {database.beside!r}")
        if problems:
            raise ValueError("\n".join(problems))
        return self
