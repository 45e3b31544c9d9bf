"""What runs: servers, services, and the environment that their commands find."""

from tenfold.plan.model import Engine, ServerPlan, ServicePlan, Tier
from tenfold.plan.schema.promise import NAMES, promise
from tenfold.plan.shapes import ListOf, RecordOf, Variant, optional, required
from tenfold.plan.words import choice, command, matching, size, text, whole

URL_PATH = matching(r'^/[!"$-~]*$', "a path that begins with /", "/ready")
VARIABLE = matching(
    r"^(?!TENFOLD_|PORT$)[A-Za-z_][A-Za-z0-9_]*$",
    "the name of an environment variable that Tenfold does not set itself (PORT, TENFOLD_…)",
    "FRESHMART_PRIMARY_URL",
)
VARIABLE_VALUE = matching(r"^[^\x00]*$", "a text without a NUL", "${database.primary.url}")
_BUCKET = matching(r"^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", "the name of a bucket", "media")

_ENGINE = choice(Engine)
_IS_ENGINE = required("engine", _ENGINE, "The server to start.")
_REPLICAS = optional("replicas", whole(0, 1), "Streaming replicas beside the primary.", default=0)
_MEMORY = optional(
    "memory", size(least="1 MiB", most="64 GiB"), "What it may hold before it evicts.", into="memory_bytes"
)
_BUCKETS = optional("buckets", ListOf(_BUCKET, most=20), "Buckets that are there from the start.", default=[])

SERVER = Variant(
    "engine",
    _ENGINE,
    {
        Engine.POSTGRESQL: RecordOf(ServerPlan, (_IS_ENGINE, _REPLICAS)),
        Engine.VALKEY: RecordOf(ServerPlan, (_IS_ENGINE, _REPLICAS, _MEMORY)),
        Engine.SEAWEEDFS: RecordOf(ServerPlan, (_IS_ENGINE, _BUCKETS)),
    },
)

SERVICE = RecordOf(
    ServicePlan,
    (
        required("title", text(), "What it is, for people."),
        required("tier", choice(Tier), "How much it matters: P0 must never fail, P3 is the first to be shed."),
        required("command", command(), "What starts it; `python` is the interpreter that runs Tenfold."),
        required("ready", URL_PATH, "The path that answers 200, on the port in PORT, when it can serve."),
        optional("depends_on", NAMES, "Servers and services that it cannot serve without.", default=[]),
        optional(
            "needs",
            ListOf(VARIABLE, may_stand="a list of variables of `environment`"),
            "The variables of `environment` that it is given, secrets among them, and no others; without this key all.",
        ),
        required("slo", promise(availability=True), "What is promised."),
        optional("instances", whole(1, 64), "How many of it run.", default=1),
    ),
)
