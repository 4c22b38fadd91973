"""What is written twice, held together."""

import json
import re

import pytest
import yaml

from controltower import reference_docs, settings_doc
from controltower.env import BASE_DIR, Env
from deploy import vendor_assets


def test_the_settings_document_is_as_the_code_has_it() -> None:
    assert (BASE_DIR / "docs" / "settings.md").read_text() == settings_doc.text(), "Run `make settings-doc`."


@pytest.mark.parametrize("name", reference_docs.DOCUMENTS)
def test_a_document_made_from_declarations_is_as_they_are(name: str) -> None:
    assert (BASE_DIR / "docs" / name).read_text() == reference_docs.text_of(name), "Run `make reference-docs`."


def test_every_setting_says_what_it_means() -> None:
    assert [name for name, field in Env.model_fields.items() if not field.description] == []


def test_every_guard_and_every_approval_kind_stands_in_its_document() -> None:
    from apps.workflows import registry

    provisioned = (BASE_DIR / "docs" / "provisioning.md").read_text().splitlines()
    policies = (BASE_DIR / "docs" / "policies.md").read_text()
    for workflow in registry.workflows().values():
        for guard in workflow.guards:
            begin, field = f"| `{guard.model or workflow.odoo_model}`, `{guard.state_value}`", f"`{guard.release[0]}`"
            assert [line for line in provisioned if line.startswith(begin) and field in line], (begin, field)
        for kind in workflow.approvals:
            assert f"| `{kind.name}` |" in policies


def test_the_vendored_files_are_as_their_lock_says() -> None:
    assert vendor_assets.differences() == []


def test_no_vendored_file_names_a_source_map() -> None:
    assert [path.name for path in vendor_assets.VENDOR.iterdir() if b"sourceMappingURL" in path.read_bytes()] == []


def test_the_image_copies_only_what_there_is() -> None:
    text = (BASE_DIR / "Dockerfile").read_text()
    sources = [line.split()[1] for line in text.splitlines() if re.match(r"COPY (?!--)", line)]
    assert sources
    assert [source for source in sources if not (BASE_DIR / source).exists()] == []
    assert re.search(r"^USER (?!root)", text, re.MULTILINE), "The image runs as an ordinary user."


def test_compose_names_the_settings_and_the_services_that_exist() -> None:
    services = yaml.safe_load((BASE_DIR / "deploy" / "compose.yaml").read_text())["services"]

    assert {"web", "intake", "worker-fast", "worker-slow", "worker-people", "beat", "postgres", "valkey"} <= set(services)
    for name in ("web", "intake", "worker-fast", "worker-slow", "worker-people", "beat"):
        assert {variable.lower() for variable in services[name]["environment"]} <= set(Env.model_fields)
        assert set(services[name]["depends_on"]) <= set(services)


def test_compose_and_supervisor_serve_the_same_queues() -> None:
    compose = (BASE_DIR / "deploy" / "compose.yaml").read_text()
    supervisor = (BASE_DIR / "controltower" / "supervisor.py").read_text()
    from controltower.celery import app

    served = {queue for names in re.findall(r"-Q (\S+)", compose) for queue in names.split(",")}
    assert {route["queue"] for route in app.conf.task_routes.values()} <= served
    for queue in served:
        assert queue in supervisor


def test_hosted_run_and_pre_commit_call_the_targets_of_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*## ", (BASE_DIR / "Makefile").read_text(), re.MULTILINE))
    hosted = yaml.safe_load((BASE_DIR / ".github" / "workflows" / "ci.yml").read_text())
    called = {target for row in hosted["jobs"]["proofs"]["strategy"]["matrix"]["target"] for target in row.split()}
    every = re.search(r"^for target in (.*); do$", (BASE_DIR / ".ci" / "run").read_text(), re.MULTILINE)[1].split()
    assert called == set(every) <= targets
    hooks = yaml.safe_load((BASE_DIR / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    assert {hook["entry"] for hook in hooks} <= {f"make --no-print-directory {target}" for target in targets}


def test_no_registry_is_named_in_what_is_installed() -> None:
    lists = [*BASE_DIR.glob("requirements*"), *BASE_DIR.glob("deploy/*requirements*"), *BASE_DIR.glob("bench/peers/*requirements*")]
    assert [path.name for path in lists if "://" in path.read_text()] == []
    packages = json.loads((BASE_DIR / "package-lock.json").read_text())["packages"]
    assert [name for name, package in packages.items() if name and "integrity" not in package] == []
    assert [name for name, package in packages.items() if "resolved" in package] == []
