"""When a destination that keeps failing is tried."""

from daemon.inbox.circuit import FAILURES, Circuit


def opened(at: float) -> Circuit:
    circuit = Circuit()
    for _ in range(FAILURES):
        assert circuit.wait(at) == 0.0
        circuit.failed(at, began=at)
    assert circuit.is_open
    return circuit


def test_a_failure_that_began_before_it_opened_is_not_that_of_the_one_try() -> None:
    circuit = opened(at=100.0)
    assert circuit.wait(130.0) == 0.0
    circuit.failed(131.0, began=99.0)
    # The try is still under way: nobody else is let through, and what it says counts.
    assert circuit.wait(132.0) > 0.0
    circuit.failed(135.0, began=130.0)
    assert circuit.wait(135.0) == 60.0
    assert circuit.wait(195.0) == 0.0
    circuit.succeeded()
    assert not circuit.is_open


def test_a_late_failure_makes_no_pause_longer() -> None:
    circuit = opened(at=100.0)
    circuit.failed(120.0, began=99.0)
    assert circuit.wait(120.0) == 10.0
