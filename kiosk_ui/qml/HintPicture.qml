// A drawing of one hint for who does not read it: a head in dark lines, what is to be done in colour. 96 units square.
import QtQuick
import QtQuick.Shapes
import "."

Rectangle {
    id: picture
    required property QtObject kiosk
    readonly property string hint: kiosk.words.picture
    readonly property real k: width / 96

    readonly property string head: ellipse(48, 50, 20, 26) + " M41 46 h0.1 M55 46 h0.1 M42 62 q6 4 12 0"
    readonly property string sun: ellipse(48, 16, 6, 6) + rays(48, 16)
    // each: dark lines, coloured lines
    readonly property var drawings: ({
        one_person: [ellipse(30, 34, 13, 17) + " M8 84 q0 -26 22 -26 t22 26" + ellipse(72, 42, 10, 13) + " M62 84 q-2 -22 10 -22 t16 22", "M58 26 L90 86 M90 26 L58 86"],
        look_at_camera: [ellipse(48, 64, 19, 25) + " M41 56 h0.1 M55 56 h0.1 M43 76 q5 3 10 0", "M30 6 h36 v20 h-36 Z " + ellipse(48, 16, 5, 5) + " M82 66 V32 M74 41 L82 32 L90 41"],
        closer: [ellipse(48, 48, 11, 14), ellipse(48, 48, 30, 38) + " M32 48 H22 M27 43 L22 48 L27 53 M64 48 H74 M69 43 L74 48 L69 53 M48 28 V17 M43 22 L48 17 L53 22 M48 68 V79 M43 74 L48 79 L53 74"],
        back: [ellipse(48, 48, 28, 38) + " M39 42 h0.1 M57 42 h0.1 M40 64 q8 5 16 0", "M4 48 H16 M11 42 L17 48 L11 54 M92 48 H80 M85 42 L79 48 L85 54"],
        into_oval: [ellipse(24, 52, 15, 20) + " M19 49 h0.1 M29 49 h0.1", ellipse(66, 48, 22, 30) + " M42 52 H66 M59 45 L66 52 L59 59"],
        more_light: [ellipse(48, 62, 20, 26) + " M41 58 h0.1 M55 58 h0.1 M43 74 q5 3 10 0", sun + " M80 8 V28 M70 18 H90"],
        less_light: [ellipse(48, 62, 20, 26) + " M41 58 h0.1 M55 58 h0.1 M43 74 q5 3 10 0", sun + " M70 18 H90"],
        even_light: [ellipse(56, 56, 20, 26) + " M50 52 h0.1 M62 52 h0.1 M51 68 q5 3 10 0", ellipse(14, 26, 6, 6) + rays(14, 26) + " M80 20 q-20 -14 -40 2 M41 10 L40 22 L52 23"],
        head_straight: [head, "M48 4 V18 M48 82 V94 M12 50 H22 M74 50 H84 M18 22 q6 -10 16 -13 M26 8 L34 9 L31 17"],
        hold_still: [head, "M14 34 V66 M22 34 V66 M74 34 V66 M82 34 V66"],
        glasses_off: [ellipse(48, 62, 20, 26) + " M41 58 h0.1 M55 58 h0.1 M42 74 q6 4 12 0", ellipse(36, 24, 9, 8) + ellipse(60, 24, 9, 8) + " M45 24 h6 M27 22 L18 18 M69 22 L78 18 M84 52 V26 M78 33 L84 26 L90 33"],
        mask_down: [ellipse(48, 40, 20, 26) + " M41 36 h0.1 M55 36 h0.1 M42 52 q6 4 12 0", "M30 62 q18 8 36 0 v14 q-18 14 -36 0 Z M36 72 h24 M84 34 V62 M78 55 L84 62 L90 55"]
    })

    function ellipse(x: real, y: real, rx: real, ry: real): string {
        return ` M${x - rx} ${y} a${rx} ${ry} 0 1 0 ${2 * rx} 0 a${rx} ${ry} 0 1 0 ${-2 * rx} 0`
    }
    function rays(x: real, y: real): string {
        return [0, 45, 90, 135, 180, 225, 270, 315].map(degrees => {
            const a = degrees * Math.PI / 180
            return ` M${x + 9 * Math.cos(a)} ${y + 9 * Math.sin(a)} L${x + 12 * Math.cos(a)} ${y + 12 * Math.sin(a)}`
        }).join("")
    }

    objectName: "picture"
    radius: Theme.round
    color: Theme.paper
    border { width: 2 * Theme.u; color: Theme.line }
    visible: hint !== ""
    Accessible.role: Accessible.Graphic
    Accessible.name: kiosk.words.pictureName

    Shape {
        x: 5 * picture.k
        y: 5 * picture.k
        scale: (picture.width - 10 * picture.k) / 96
        transformOrigin: Item.TopLeft
        preferredRendererType: Shape.CurveRenderer
        ShapePath {
            strokeColor: Theme.ink; strokeWidth: 4; fillColor: "transparent"; capStyle: ShapePath.RoundCap; joinStyle: ShapePath.RoundJoin
            PathSvg { path: picture.hint ? picture.drawings[picture.hint][0] : "" }
        }
        ShapePath {
            strokeColor: Theme.ringLamp; strokeWidth: 5; fillColor: "transparent"; capStyle: ShapePath.RoundCap; joinStyle: ShapePath.RoundJoin
            PathSvg { path: picture.hint ? picture.drawings[picture.hint][1] : "" }
        }
    }
}
