"""The JSON Schema of report.json, made from `result.DrillResult`.

python -m hackorda_ops.drill.report.json_schema > docs/report.schema.json
"""

import json
from typing import Any, get_args

from pydantic import TypeAdapter

from hackorda_ops.drill.checks.registry import all_checks
from hackorda_ops.drill.report.json_form import SCHEMA_NAME
from hackorda_ops.drilling.result import RESULT_VERSION, DrillResult
from hackorda_ops.finding_kinds import KINDS, Severity


def schema() -> dict[str, Any]:
    """The schema, as draft 2020-12 has it. Later releases of the same version may add properties."""
    made = TypeAdapter(DrillResult).json_schema(mode="serialization")
    made["properties"] = {
        "$schema": {"type": "string", "description": f"The name of this schema's file: {SCHEMA_NAME}."},
        **made["properties"],
    }
    # A finding's severity and meaning follow from its code, so its class has no fields of them.
    finding = made["$defs"]["Finding"]
    finding["properties"] |= {
        "severity": {"type": "string", "enum": list(get_args(Severity))},
        "meaning": {"type": "string"},
    }
    finding["properties"]["code"]["examples"] = list(KINDS)
    finding["required"] += ["severity", "meaning"]
    # Text, because a later release may have another check.
    made["$defs"]["Check"]["properties"]["name"]["examples"] = [check.name for check in all_checks()]
    # A reader has to be able to tell which version it reads.
    made["required"].append("result_version")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **made,
        "title": f"A restore drill's report, version {RESULT_VERSION}",
    }


def text() -> str:
    """The schema as the text of its file."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(text(), end="")
