"""Known failures of the desk: each has a code, a message and a remedy the operator can follow.

A known failure is the world's fault (camera gone, pack altered, wrong IIN). A bug is never one of
these: it ends the process and the supervisor restarts it. Failures of the ledger and the network
live in `sync.errors`, which this package's base class extends.
"""

from sync.errors import KnownFailure


class ApplianceFailure(KnownFailure):
    """Base of the desk's known failures; never raised itself."""


class CameraUnavailable(ApplianceFailure):
    """The camera or the recording cannot be opened, or stopped giving frames."""

    code = "E-CAM-01"
    remedy = "Check that the camera is plugged in and not used by another program, then try again."


class CameraFrozen(ApplianceFailure):
    """The camera repeats one frame, or gives black frames only."""

    code = "E-CAM-02"
    remedy = "Open the lens cover; unplug the camera and plug it in again."


class CameraRefused(CameraUnavailable):
    """The camera is made by a program, not on the clinic's list, or not the one this desk began with."""

    code = "E-CAM-03"
    remedy = "Plug in the desk's own camera and start again; IT allows another one by [camera] allow: keldim cameras"


class ImageUnreadable(ApplianceFailure):
    """A picture or video file is damaged, empty or not a picture."""

    code = "E-IMG-01"
    remedy = "Use an undamaged JPEG or PNG picture; take the photo again if need be."


class FaceNotUsable(ApplianceFailure):
    """Pictures given for enrolment hold no face, several faces, one of too poor quality, or not one person."""

    code = "E-IMG-02"
    remedy = "Use a sharp, evenly lit photo of one person who looks straight at the camera."


class PackInvalid(ApplianceFailure):
    """A model pack is missing, truncated, altered, or fails its golden self-test."""

    code = "E-PACK-01"
    remedy = "Fetch and build the pack again: keldim models pull builtin"


class PackUncalibrated(ApplianceFailure):
    """Nobody has measured what the pack's scores mean; it opens for evaluation only."""

    code = "E-PACK-07"
    remedy = "Measure it on labelled pictures first: keldim evaluate --help"


class PackUnfit(ApplianceFailure):
    """A new pack does not tell people apart on this machine, or takes too long; the one before stays in use."""

    code = "E-PACK-09"
    remedy = "Nothing to do at the desk; tell whoever publishes the packs, with: keldim models slots"


class PackSlow(PackUnfit):
    """A new pack takes too long on this machine; the one before stays in use."""

    code = "E-PACK-11"
    remedy = "Nothing to do at the desk; tell whoever publishes the packs, with: keldim models slots"


class PackChanged(ApplianceFailure):
    """Another pack is to be used: a new one came, or the one in use was given up. The desk opens it by itself."""

    code = "E-PACK-10"
    remedy = "Nothing to do: the desk starts again with the other pack."


class PackMismatch(ApplianceFailure):
    """An embedding and a gallery come from different model packs; their scores would mean nothing."""

    code = "E-PACK-05"
    remedy = "Restart the desk; if it stays, enrol the patient again with the pack in use."


class MigrationUnfinished(ApplianceFailure):
    """People would lose their only template with the pack that was to be retired."""

    code = "E-MIG-01"
    remedy = "See who is missing: keldim models migration. Let them visit or enrol again, or change [policy.migration]."


class IinInvalid(ApplianceFailure):
    """The number is not an IIN: wrong length, impossible date, or wrong check digit."""

    code = "E-IIN-01"
    remedy = "Read the 12 digits from the document again."


class PersonUnknown(ApplianceFailure):
    """Nobody with this IIN is enrolled at this desk."""

    code = "E-PPL-01"
    remedy = "Enrol the patient first: keldim enrol"


class PersonExists(ApplianceFailure):
    """A person with this IIN is enrolled already."""

    code = "E-PPL-02"
    remedy = "Nothing to do; to enrol again, erase the old templates first: keldim forget"


class NotAChild(ApplianceFailure):
    """Somebody is too old to be spoken for by a guardian's face, or too young to speak for another."""

    code = "E-PPL-05"
    remedy = "Enrol whoever is old enough with their own face: keldim enrol; a guardian must be of age"


class NameInvalid(ApplianceFailure):
    """A patient's name is empty, too long, or holds characters that cannot be shown."""

    code = "E-PPL-04"
    remedy = "Type the name as it is in the document."


class DuplicateFace(ApplianceFailure):
    """The face given for enrolment is already enrolled under another IIN."""

    code = "E-PPL-03"
    remedy = "Check the document: is this person enrolled under another IIN? A supervisor decides."


class ConsentMissing(ApplianceFailure):
    """Templates are only kept with a recorded consent."""

    code = "E-CNS-01"
    remedy = "Ask the patient; record the consent with --consent and the language it was given in."


class TemplateDamaged(ApplianceFailure):
    """A sealed template does not open: altered, moved to another person, or sealed by another desk."""

    code = "E-TPL-01"
    remedy = "Enrol this patient again; keep the database and report it, it may have been altered."


class ConfigInvalid(ApplianceFailure):
    """The configuration file is unreadable, or holds an unknown or impossible setting."""

    code = "E-CFG-01"
    remedy = "Correct the named line in keldim.toml; a desk not made yet: keldim device status says what is next."


class ServiceUnknown(ApplianceFailure):
    """The named service is not among the planned services."""

    code = "E-SRV-01"
    remedy = "See the planned services: keldim services list"


class ClaimsFileInvalid(ApplianceFailure):
    """A file of claims is not as agreed; nothing of it was compared."""

    code = "E-CLM-01"
    remedy = "Correct the named lines, or export the file again."


class ServicesFileInvalid(ApplianceFailure):
    """A file of planned services is not as agreed; nothing of it was imported."""

    code = "E-SRV-02"
    remedy = "Correct the named lines, or export the file again, then import it."


class ServiceConfirmed(ApplianceFailure):
    """The service was confirmed before; one service is confirmed once."""

    code = "E-SRV-03"
    remedy = "Nothing to do: the earlier confirmation is recorded."


class PinInvalid(ApplianceFailure):
    """The PIN somebody chose is too short, too long, no number, or the first anybody would try."""

    code = "E-OPR-01"
    remedy = "Choose 6 to 12 digits that are neither all the same nor in a row."


class PinWrong(ApplianceFailure):
    """The PIN does not fit the operator. tries_left: before the first pause."""

    code = "E-OPR-02"
    remedy = "Type it again; whoever forgot it gets a new one: keldim staff pin"

    def __init__(self, message: str, tries_left: int) -> None:
        super().__init__(message)
        self.tries_left = tries_left


class OperatorLocked(ApplianceFailure):
    """Too many wrong PINs: no other is looked at until the pause is over. seconds: what is left of it."""

    code = "E-OPR-03"
    remedy = "Wait; or set a new PIN at the terminal: keldim staff pin"

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds


class NotSignedIn(ApplianceFailure):
    """Nobody is signed in at the reception, or the session is locked."""

    code = "E-OPR-04"
    remedy = "Sign in, or type the PIN to go on."


class NotAllowed(ApplianceFailure):
    """The operator's role does not include this."""

    code = "E-OPR-05"
    remedy = "Ask somebody whose role includes it; roles are given with: keldim staff pin --role"


class OperatorUnknown(ApplianceFailure):
    """Somebody has no PIN at this desk."""

    code = "E-OPR-06"
    remedy = "Set their first PIN at the terminal: keldim staff pin"


class SecondPersonNeeded(ApplianceFailure):
    """A second operator has to agree: above the shift's limit, to what is one's own, to a face that is enrolled."""

    code = "E-RCP-01"
    remedy = "Another receptionist or a supervisor types their PIN; where none is asked for, they sign in and do it."


class ReasonMissing(ApplianceFailure):
    """A manual confirmation or a correction lacks what has to be said about it."""

    code = "E-RCP-02"
    remedy = 'Choose the reasons; for "other", write in one line what was done.'


class ReceiptUnknown(ApplianceFailure):
    """No standing confirmation has this receipt: it never had, or was corrected already."""

    code = "E-RCP-03"
    remedy = "Look at the patient's card again; it shows what stands and what was corrected."


class AttemptTaken(ApplianceFailure):
    """The failed try at the kiosk that was named is another patient's, or none of today."""

    code = "E-RCP-04"
    remedy = "Choose another try from the list, or none."


class ReceiptUnproven(ApplianceFailure):
    """What was shown as a receipt does not prove what it should."""

    code = "E-RCT-01"
    remedy = "Do not accept it. Take it again from the patient, and check that the keys are of this device and fund."
    exit_code = 4


class LogUnwritable(ApplianceFailure):
    """The log file cannot be opened for writing."""

    code = "E-LOG-01"
    remedy = "Make the desk's log folder writable for the service user, or free space on the disk."


class DemoFailed(ApplianceFailure):
    """The demonstration could not be set up or carried through."""

    code = "E-DEMO-01"
    remedy = "See the logs in its folder, or name an empty folder with --dir; then run it again."


class DatasetUnknown(ApplianceFailure):
    """A folder of evaluation pictures has a layout nobody knows, or holds too little for the protocol asked for."""

    code = "E-EVL-01"
    remedy = "See what is expected: keldim evaluate --help"


class CardUnmarked(ApplianceFailure):
    """A model card has no marked place for measured figures."""

    code = "E-EVL-02"
    remedy = "Put the lines <!-- figures:begin --> and <!-- figures:end --> into card.md where the figures belong."


class CacheUnusable(ApplianceFailure):
    """The folder in which an evaluation keeps what it measured cannot be read or written."""

    code = "E-EVL-03"
    remedy = "Remove the damaged file, or name another folder with --cache."


class ReportUnwritable(ApplianceFailure):
    """A report, or a recipe's calibration, cannot be written."""

    code = "E-EVL-04"
    remedy = "Name a place that can be written to with --out."


class WindowUnusable(ApplianceFailure):
    """The package that draws the window is not installed, or damaged."""

    code = "E-WIN-01"
    remedy = "Run the set-up of the window again: sh requirements/setup.sh window"


class ScreenMissing(ApplianceFailure):
    """A window was to be opened where nobody would see it."""

    code = "E-WIN-02"
    remedy = "Start it in a session with a screen, or as the kiosk's unit; QT_QPA_PLATFORM=offscreen draws it unseen."


class PrinterFailed(ApplianceFailure):
    """The printer system did not take a page."""

    code = "E-PRT-01"
    remedy = "Look at the printer, then at the system's printers: lpstat -p"


class SetupUnreadable(ApplianceFailure):
    """The file that keeps how far the set-up of this desk has come cannot be read or written."""

    code = "E-SET-01"
    remedy = "Remove setup.json from the desk's folder, see that the folder can be written, run: keldim setup-desk"


class BundleUnwritable(ApplianceFailure):
    """The support bundle cannot be written where it was asked for."""

    code = "E-SUP-01"
    remedy = "Name a file in a folder that can be written to: --out FILE"
