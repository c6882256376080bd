// Shows a turn as an arrow beside the oval. The preview is a mirror, so the patient's left is the window's left.
import QtQuick
import QtQuick.Shapes
import "."

Shape {
    id: arrow
    property string kind: ""
    required property Item oval
    readonly property bool leftward: kind === "left"
    readonly property real s: 44 * Theme.u
    visible: kind === "left" || kind === "right"
    width: 2 * s
    height: 2 * s
    x: leftward ? oval.cx - oval.rx - 60 * Theme.u - width : oval.cx + oval.rx + 60 * Theme.u
    y: oval.cy - height / 2
    preferredRendererType: Shape.CurveRenderer
    ShapePath {
        strokeColor: Theme.lamp ? Theme.ringLamp : Theme.ring; strokeWidth: 16 * Theme.u; fillColor: "transparent"
        capStyle: ShapePath.RoundCap; joinStyle: ShapePath.RoundJoin
        startX: arrow.leftward ? arrow.s * 1.4 : arrow.s * 0.6; startY: arrow.s * 0.3
        PathLine { x: arrow.leftward ? arrow.s * 0.6 : arrow.s * 1.4; y: arrow.s }
        PathLine { x: arrow.leftward ? arrow.s * 1.4 : arrow.s * 0.6; y: arrow.s * 1.7 }
    }
}
