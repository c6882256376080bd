// The patient's window: one picture per state, over a preview that is only seen while a face is looked for.
import QtQuick
import QtQuick.Layouts
import Keldim.Native
import "."

Window {
    id: window
    required property QtObject kiosk
    readonly property var screen: kiosk.words
    readonly property string scene: screen.scene
    readonly property bool foot: scene !== "pad" && scene !== "choose"
    readonly property bool grown: kiosk.live.grown   // the way without a face is to catch the eye
    readonly property var themePairs: Theme.pairs
    readonly property bool looking: scene === "look" || scene === "wait"
    width: 1280
    height: 800
    title: "Keldim"
    color: Theme.ground

    Binding { target: Theme; property: "u"; value: Math.min(window.width / 1280, window.height / 800) }
    Binding { target: Theme; property: "mm"; value: window.kiosk.live.mm }
    Binding { target: Theme; property: "lamp"; value: window.kiosk.live.lamp && window.looking }

    CameraView { id: view; objectName: "view"; anchors.fill: parent; visible: window.looking }
    Oval { id: oval; kiosk: window.kiosk; anchors.fill: parent; visible: window.looking }

    TopBar {
        id: top
        kiosk: window.kiosk
        anchors { left: parent.left; right: parent.right; top: parent.top; margins: Theme.margin; topMargin: 18 * Theme.u }
    }

    HintPicture {
        kiosk: window.kiosk
        width: 240 * Theme.u; height: width
        x: Math.max(Theme.margin, Math.min(oval.cx - oval.rx - 70 * Theme.u - width, parent.width - width - Theme.margin))
        y: Math.max(top.y + top.height + 14 * Theme.u, oval.cy - height / 2)
    }

    Column {
        visible: window.looking
        anchors { horizontalCenter: parent.horizontalCenter; bottom: bottom.top; bottomMargin: 14 * Theme.u }
        width: parent.width - 2 * Theme.margin
        spacing: 4 * Theme.u
        Txt {
            objectName: "headline"; text: window.screen.headline; size: Theme.big; bold: true; color: Theme.groundText
            width: parent.width; horizontalAlignment: Text.AlignHCenter
            Accessible.role: Accessible.AlertMessage
        }
        Txt { text: window.screen.second; size: 24 * Theme.u; color: Theme.groundText; width: parent.width; horizontalAlignment: Text.AlignHCenter; visible: text !== "" }
        Txt { text: window.screen.detail; size: 20 * Theme.u; color: Theme.groundFaint; width: parent.width; horizontalAlignment: Text.AlignHCenter; visible: text !== "" }
    }

    Item {
        id: middle
        anchors {
            left: parent.left; right: parent.right; top: top.bottom; bottom: window.foot ? bottom.top : parent.bottom
            margins: Theme.margin; topMargin: 14 * Theme.u; bottomMargin: window.foot ? 14 * Theme.u : 22 * Theme.u
        }
        Confirm { kiosk: window.kiosk; visible: window.scene === "confirm"; anchors.centerIn: parent; width: 960 * Theme.u; height: Math.min(parent.height, 560 * Theme.u) }
        Choose { kiosk: window.kiosk; visible: window.scene === "choose"; anchors.centerIn: parent; width: 1100 * Theme.u; height: parent.height }
        Receipt { kiosk: window.kiosk; visible: window.scene === "receipt"; anchors.centerIn: parent; width: 1080 * Theme.u; height: Math.min(parent.height, 540 * Theme.u) }
        PadCard { kiosk: window.kiosk; visible: window.scene === "pad"; anchors.centerIn: parent; width: 1080 * Theme.u; height: parent.height }
        Notice {
            kiosk: window.kiosk; visible: window.scene === "notice" || window.scene === "closed" || window.scene === "still_there"
            anchors.centerIn: parent; width: 900 * Theme.u; height: Math.min(parent.height, 520 * Theme.u)
        }
    }

    RowLayout {
        id: bottom
        anchors { left: parent.left; right: parent.right; bottom: parent.bottom; margins: Theme.margin; bottomMargin: 22 * Theme.u }
        height: window.grown ? Theme.touch * 1.5 : Theme.touch
        visible: window.foot
        Repeater {
            model: window.kiosk.buttons.bottom
            Btn {
                required property var modelData
                required property int index
                objectName: "bottom-" + modelData.intent
                readonly property bool large: window.grown && modelData.intent === "without_face"
                onNight: true
                text: modelData.text
                weight: large ? "primary" : "secondary"
                size: large ? Theme.title : Theme.text
                Layout.preferredHeight: Theme.touch * (large ? 1.5 : 1)
                Layout.preferredWidth: large ? window.width * 0.55 : implicitWidth
                Layout.alignment: (index === 0 && window.kiosk.buttons.bottom.length > 1 ? Qt.AlignLeft : Qt.AlignRight) | Qt.AlignBottom
                onClicked: window.kiosk.answer(modelData.intent, "")
            }
        }
    }

    Rectangle {
        visible: window.screen.training !== ""
        anchors { horizontalCenter: parent.horizontalCenter; bottom: parent.bottom }
        width: parent.width
        height: training.implicitHeight + 8 * Theme.u
        color: Theme.attention
        Txt { id: training; objectName: "training"; anchors.centerIn: parent; text: window.screen.training; size: 18 * Theme.u; strong: true; color: Theme.paper }
    }
}
