"""What can be wrong with switching from one release of the program to another, with what to do about it."""

from sync.errors import KnownFailure


class ReleaseFailure(KnownFailure):
    """Base of the failures of releases; never raised itself."""


class ReleaseMissing(ReleaseFailure):
    """There is no such release on this machine."""

    code = "E-REL-01"
    remedy = "Install its package; what is here: keldim-release list"


class ReleaseDamaged(ReleaseFailure):
    """A release is not what its package held, or does not start at all."""

    code = "E-REL-02"
    remedy = "Install its package again (apt-get install --reinstall), then check the disk"


class ReleaseGivenUp(ReleaseFailure):
    """A release was tried on this machine and given up."""

    code = "E-REL-03"
    remedy = "Wait for another one, or try it again knowingly: keldim-release activate --again VERSION"


class RecordsUnreadable(ReleaseFailure):
    """One of two releases could not read what the other writes, so there would be no way back."""

    code = "E-REL-04"
    remedy = "Make a back-up (keldim backup), then go without a way back: keldim-release activate --one-way VERSION"


class RecordsNewer(ReleaseFailure):
    """A release cannot read the records as they are now."""

    code = "E-REL-05"
    remedy = "Stay with this release or a newer one; an older one needs a back-up from its own time"


class NothingToDo(ReleaseFailure):
    """There is no trial to confirm, or nothing to go back to."""

    code = "E-REL-06"
    remedy = "Look at what is here: keldim-release list"


class ReleaseInUse(ReleaseFailure):
    """A release that runs, or that is the way back, would be removed."""

    code = "E-REL-07"
    remedy = "Confirm the trial or roll it back first, or remove the package keldim, which ends the desk here"


class NotWell(ReleaseFailure):
    """The desk does not work well enough to keep the release for good."""

    code = "E-REL-08"
    remedy = "Look at: systemctl status 'keldim-*', keldim doctor; go back with: keldim-release rollback"


class GuardUnable(ReleaseFailure):
    """The guard cannot write where it keeps its state and the link."""

    code = "E-REL-09"
    remedy = "Run it as root; is the disk full or read-only?"
