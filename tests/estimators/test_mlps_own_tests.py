"""scikit-learn's tests of its own MLPs, run against these estimators by substitution: what passes, and what cannot."""

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import glassnet

HERE = Path(__file__).parent
CANNOT = {
    "test_fit": "sets coefs_ and the solver's private state by hand; here they are views of network_",
    "test_gradient": "calls the private _loss_grad_lbfgs",
    "test_learning_rate_warmstart": "reads the private _optimizer.learning_rate",
    "test_adaptive_learning_rate": "reads the private _optimizer.learning_rate",
    "test_n_iter_no_change": "reads the private _no_improvement_count",
    "test_n_iter_no_change_inf": "reads the private _no_improvement_count",
    "test_early_stopping_stratified": "wants a rare class called 'True', its code in the MLP; here it has its own name",
    "test_mlp_partial_fit_after_fit": "wants partial_fit with early stopping refused; here it works",
    "test_mlp_vs_poisson_glm_equivalent": "needs loss='poisson', which is not there",
}
"""The tests that do not pass, and why: the table in docs/estimators.md."""


def test_all_pass_but_those_that_cannot(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    without_cache = ["-p", "no:cacheprovider"]
    wanted = ["--pyargs", "sklearn.neural_network.tests.test_mlp", f"--junitxml={report}"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "substitution", *without_cache, *wanted],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(
                [str(HERE), str(Path(glassnet.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
            ),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    cases = ElementTree.parse(report).getroot().findall(".//testcase")
    assert len(cases) >= 50, run.stdout
    names = {True: set(), False: set()}
    for case in cases:
        failed = case.find("failure") is not None or case.find("error") is not None
        names[failed].add(str(case.get("name")).partition("[")[0])
        assert case.find("skipped") is None, case.get("name")
    assert names[True] == set(CANNOT), run.stdout[-3000:]
    assert len(names[False]) >= 29


def test_the_docs_list_them() -> None:
    text = (HERE.parents[1] / "docs" / "estimators.md").read_text()
    for name, why in CANNOT.items():
        assert f"| `{name}` | {why} |" in text
