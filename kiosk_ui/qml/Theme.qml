// Colours, sizes and type of every window. Pairs of text and ground that are used together are listed for the contrast test.
pragma Singleton
import QtQuick

QtObject {
    // u: one unit of the layout, a pixel at 1280x800. mm: pixels of a millimetre, for what is touched.
    property real u: 1
    property real mm: 4
    property bool lamp: false

    readonly property string font: "Inter"
    readonly property color ink: "#0f1c2e"
    readonly property color faint: "#475a70"
    readonly property color paper: "#ffffff"
    readonly property color mist: "#eef4fa"
    readonly property color line: "#64748b"
    readonly property color night: "#0b1626"
    readonly property color nightText: "#ffffff"
    readonly property color nightFaint: "#cbd9e8"
    readonly property color lampGround: "#fbfdff"
    readonly property color good: "#15803d"
    readonly property color goodDown: "#14532d"
    readonly property color attention: "#b45309"
    readonly property color bad: "#b91c1c"
    readonly property color goodTint: "#dcfce7"
    readonly property color badTint: "#fee2e2"
    readonly property color badDown: "#7f1d1d"
    readonly property color attentionTint: "#fef3c7"
    readonly property color attentionDown: "#78350f"
    readonly property color ring: "#38bdf8"
    readonly property color ringLamp: "#0369a1"
    readonly property color ringGood: "#22c55e"
    readonly property color focus: "#facc15"
    readonly property color focusLight: "#1d4ed8"

    readonly property color ground: lamp ? lampGround : night
    readonly property color groundText: lamp ? ink : nightText
    readonly property color groundFaint: lamp ? faint : nightFaint

    // text, ground, least contrast (WCAG 2.2: 1.4.3 text 4.5; 1.4.11 signs and borders 3)
    readonly property var pairs: [
        [ink, paper, 4.5], [faint, paper, 4.5], [ink, mist, 4.5], [faint, mist, 4.5], [paper, good, 4.5], [paper, goodDown, 4.5],
        [nightText, night, 4.5], [nightFaint, night, 4.5], [ink, lampGround, 4.5], [faint, lampGround, 4.5],
        [attention, paper, 4.5], [bad, paper, 4.5], [good, paper, 4.5], [paper, attention, 4.5], [paper, bad, 4.5],
        [goodDown, goodTint, 4.5], [badDown, badTint, 4.5], [attentionDown, attentionTint, 4.5],
        [line, paper, 3], [ring, night, 3], [ringLamp, lampGround, 3], [focus, night, 3], [focusLight, paper, 3]
    ]

    readonly property real touch: Math.max(20 * mm, 72 * u)
    readonly property real big: 46 * u
    readonly property real title: 38 * u
    readonly property real text: 26 * u
    readonly property real small: 20 * u
    readonly property real gap: 20 * u
    readonly property real margin: 28 * u
    readonly property real round: 18 * u
}
