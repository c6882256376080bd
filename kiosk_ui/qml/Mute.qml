// Turns the voice off and on: a loudspeaker with waves while it speaks, crossed out while it does not.
import QtQuick
import QtQuick.Shapes
import "."

Btn {
    id: mute
    required property QtObject kiosk
    readonly property bool off: kiosk.live.muted
    objectName: "mute"
    onNight: true
    text: off ? kiosk.words.soundOn : kiosk.words.soundOff
    implicitWidth: Theme.touch
    implicitHeight: Theme.touch
    visible: kiosk.words.voice
    onClicked: kiosk.mute()
    contentItem: Item {
        Shape {
            readonly property real k: Theme.touch * 0.62 / 48
            anchors.centerIn: parent
            width: 48
            height: 48
            scale: k
            preferredRendererType: Shape.CurveRenderer
            ShapePath {
                strokeColor: Theme.groundText; strokeWidth: 3; fillColor: Theme.groundText; joinStyle: ShapePath.RoundJoin
                PathSvg { path: "M8 19 h8 l10 -8 v26 l-10 -8 h-8 Z" }
            }
            ShapePath {
                strokeColor: Theme.groundText; strokeWidth: 3; fillColor: "transparent"; capStyle: ShapePath.RoundCap
                PathSvg { path: mute.off ? "M32 18 L44 30 M44 18 L32 30" : "M32 18 q5 6 0 12 M37 13 q10 11 0 22" }
            }
        }
    }
}
