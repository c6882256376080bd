// The sign of a notice: a tick, an exclamation mark, a cross or an i; told apart by shape, not only by colour.
import QtQuick
import QtQuick.Shapes
import "."

Rectangle {
    id: sign
    property string tone: "plain"
    readonly property real k: width / 64
    width: 84 * Theme.u
    height: width
    radius: width / 2
    color: tone === "good" ? Theme.good : tone === "bad" ? Theme.bad : tone === "attention" ? Theme.attention : Theme.ringLamp
    Accessible.ignored: true
    Shape {
        anchors.fill: parent
        visible: sign.tone === "good"
        preferredRendererType: Shape.CurveRenderer
        ShapePath {
            strokeColor: Theme.paper; strokeWidth: 7 * sign.k; fillColor: "transparent"
            capStyle: ShapePath.RoundCap; joinStyle: ShapePath.RoundJoin
            startX: 18 * sign.k; startY: 33 * sign.k
            PathLine { x: 28 * sign.k; y: 43 * sign.k }
            PathLine { x: 46 * sign.k; y: 22 * sign.k }
        }
    }
    Shape {
        anchors.fill: parent
        visible: sign.tone === "bad"
        preferredRendererType: Shape.CurveRenderer
        ShapePath {
            strokeColor: Theme.paper; strokeWidth: 7 * sign.k; fillColor: "transparent"; capStyle: ShapePath.RoundCap
            startX: 22 * sign.k; startY: 22 * sign.k
            PathLine { x: 42 * sign.k; y: 42 * sign.k }
            PathMove { x: 42 * sign.k; y: 22 * sign.k }
            PathLine { x: 22 * sign.k; y: 42 * sign.k }
        }
    }
    Txt {
        anchors.centerIn: parent
        visible: sign.tone === "attention" || sign.tone === "plain"
        text: sign.tone === "attention" ? "!" : "i"
        size: 44 * sign.k
        bold: true
        color: Theme.paper
        Accessible.ignored: true
    }
}
