// The scrim with the oval through which the patient sees themselves, and the ring that fills with real progress.
import QtQuick
import QtQuick.Shapes
import "."

Item {
    id: oval
    required property QtObject kiosk
    readonly property var screen: kiosk.words
    readonly property real cx: width * kiosk.live.ovalX
    readonly property real cy: height * kiosk.live.ovalY
    readonly property real rx: height * 0.2
    readonly property real ry: height * 0.265
    Shape {
        anchors.fill: parent
        opacity: Theme.lamp ? 1 : 0.8
        preferredRendererType: Shape.CurveRenderer
        ShapePath {
            fillColor: Theme.ground; strokeColor: "transparent"; fillRule: ShapePath.OddEvenFill
            startX: 0; startY: 0
            PathLine { x: oval.width; y: 0 }
            PathLine { x: oval.width; y: oval.height }
            PathLine { x: 0; y: oval.height }
            PathLine { x: 0; y: 0 }
            PathAngleArc { moveToStart: true; centerX: oval.cx; centerY: oval.cy; radiusX: oval.rx; radiusY: oval.ry; startAngle: 0; sweepAngle: 360 }
        }
    }
    Shape {
        anchors.fill: parent
        preferredRendererType: Shape.CurveRenderer
        ShapePath {
            fillColor: "transparent"; strokeColor: Theme.lamp ? "#ffb6c4d4" : "#ff56657a"; strokeWidth: 10 * Theme.u
            PathAngleArc { centerX: oval.cx; centerY: oval.cy; radiusX: oval.rx + 10 * Theme.u; radiusY: oval.ry + 10 * Theme.u; startAngle: -90; sweepAngle: 360 }
        }
        ShapePath {
            fillColor: "transparent"; strokeColor: oval.kiosk.live.progress > 0 ? (Theme.lamp ? Theme.ringLamp : Theme.ring) : "transparent"
            strokeWidth: 10 * Theme.u; capStyle: ShapePath.RoundCap
            PathAngleArc {
                centerX: oval.cx; centerY: oval.cy; radiusX: oval.rx + 10 * Theme.u; radiusY: oval.ry + 10 * Theme.u
                startAngle: -90; sweepAngle: 360 * Math.min(Math.max(oval.kiosk.live.progress, 0.001), 1)
            }
        }
    }
    Arrow { kind: oval.screen.cue; oval: oval }
    Rectangle {
        objectName: "dot"
        visible: oval.kiosk.live.dotX >= 0
        width: 56 * Theme.u; height: width; radius: width / 2
        x: oval.kiosk.live.dotX * oval.width - width / 2
        y: oval.kiosk.live.dotY * oval.height - height / 2
        color: Theme.focus
        border { width: 6 * Theme.u; color: Theme.ink }
        Accessible.ignored: true
    }
}
