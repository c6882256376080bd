// The reception's window: sign-in, then the day on the left and one patient on the right.
import QtQuick
import QtQuick.Layouts
import "."

Window {
    id: window
    required property QtObject front
    required property QtObject device
    required property QtObject enrol
    readonly property var session: front.session
    readonly property var words: front.words
    property string wanted: "queue"
    readonly property bool ownFace: session.faceFirst && enrol.camera
    readonly property string page: ownFace ? "enrol" : session.patients ? wanted : "device"
    width: 1366
    height: 768
    title: "Keldim"
    color: "#fff3f6fa"

    Binding { target: Theme; property: "u"; value: Math.min(window.width / 1366, window.height / 768) }

    Rectangle {
        id: bar
        anchors { left: parent.left; right: parent.right; top: parent.top }
        height: 68 * Theme.u
        color: Theme.ink
        RowLayout {
            anchors { fill: parent; leftMargin: 22 * Theme.u; rightMargin: 22 * Theme.u }
            spacing: 10 * Theme.u
            Txt { text: window.words.title; size: 24 * Theme.u; bold: true; color: Theme.nightText; wrapMode: Text.NoWrap; visible: !window.session.signedIn }
            Repeater {
                model: !window.session.signedIn || window.ownFace ? [] : window.session.patients ? ["queue", "enrol", "handover", "device"] : ["device"]
                Key {
                    required property string modelData
                    objectName: "page-" + modelData
                    onNight: window.page !== modelData
                    text: window.words[modelData]
                    onClicked: { window.front.touch(); window.wanted = modelData }
                }
            }
            Item { Layout.fillWidth: true; Layout.preferredWidth: 1 }
            Rectangle { width: 12 * Theme.u; height: width; radius: width / 2; color: (window.front.queue.backlog ?? false) ? "#f59e0b" : Theme.ringGood; visible: window.session.signedIn }
            Txt { text: window.front.queue.unsent ?? ""; Accessible.name: window.front.queue.unsentSaid ?? ""; size: 17 * Theme.u; color: Theme.nightFaint; visible: window.session.signedIn; wrapMode: Text.NoWrap; elide: Text.ElideRight; Layout.fillWidth: true; Layout.maximumWidth: implicitWidth; Layout.preferredWidth: implicitWidth; Layout.minimumWidth: Math.min(implicitWidth, 120 * Theme.u) }
            Txt { text: window.session.name; size: 18 * Theme.u; strong: true; color: Theme.nightText; visible: window.session.signedIn; wrapMode: Text.NoWrap }
            Key { text: window.words.lock; objectName: "lock"; onNight: true; visible: window.session.signedIn; onClicked: window.front.lock() }
            Key { text: window.words.sign_out; objectName: "signOut"; onNight: true; visible: window.session.signedIn; onClicked: window.front.signOut() }
            Repeater {
                model: window.words.languages
                Key {
                    required property var modelData
                    objectName: "language-" + modelData.code
                    onNight: modelData.code !== window.session.language
                    text: modelData.code.toUpperCase()
                    Accessible.name: modelData.name
                    implicitWidth: 58 * Theme.u
                    onClicked: window.front.speak(modelData.code)
                }
            }
        }
    }

    Rectangle {
        id: told
        readonly property bool reminds: window.front.told.text === "" && window.session.signedIn && window.session.faceMissing !== "" && !window.ownFace
        anchors { left: parent.left; right: parent.right; top: bar.bottom }
        height: visible ? Math.max(words.implicitHeight + 20 * Theme.u, reminds ? 60 * Theme.u : 0) : 0
        visible: words.text !== ""
        color: reminds ? Theme.attentionTint : window.front.told.good ? Theme.goodTint : Theme.badTint
        RowLayout {
            anchors { fill: parent; leftMargin: 24 * Theme.u; rightMargin: 24 * Theme.u }
            Txt {
                id: words
                objectName: "told"
                text: window.front.told.text !== "" ? window.front.told.text : told.reminds ? window.session.faceMissing : ""
                size: Theme.small
                strong: true
                color: told.reminds ? Theme.attentionDown : window.front.told.good ? Theme.goodDown : Theme.badDown
                Accessible.role: Accessible.AlertMessage
                Layout.fillWidth: true
            }
            Key { objectName: "faceNow"; text: window.words.face_now; visible: told.reminds && window.enrol.camera; onClicked: { window.front.touch(); window.front.postpone(false) } }
        }
    }

    SignIn { front: window.front; visible: !window.session.signedIn; anchors { left: parent.left; right: parent.right; top: told.bottom; bottom: parent.bottom } }

    RowLayout {
        visible: window.session.signedIn && window.page === "queue"
        anchors { left: parent.left; right: parent.right; top: told.bottom; bottom: parent.bottom; margins: 20 * Theme.u }
        spacing: 20 * Theme.u
        QueuePage { front: window.front; Layout.fillWidth: true; Layout.fillHeight: true }
        CardPanel { front: window.front; Layout.preferredWidth: 430 * Theme.u; Layout.fillHeight: true }
    }

    Card {
        visible: window.session.signedIn && window.page === "handover"
        anchors { left: parent.left; right: parent.right; top: told.bottom; bottom: parent.bottom; margins: 20 * Theme.u }
        border { width: 1; color: "#ffd7e0ea" }
        ColumnLayout {
            anchors { fill: parent; margins: 36 * Theme.u }
            spacing: 12 * Theme.u
            Txt { text: window.words.handover; size: 30 * Theme.u; bold: true }
            Repeater {
                model: window.front.queue.handover ?? []
                Txt { required property string modelData; text: modelData; size: 22 * Theme.u; Layout.fillWidth: true }
            }
            Item { Layout.fillHeight: true }
        }
    }

    EnrolPage {
        enrol: window.enrol
        ownFirst: window.ownFace
        front: window.front
        visible: window.session.signedIn && window.page === "enrol"
        anchors { left: parent.left; right: parent.right; top: told.bottom; bottom: parent.bottom; margins: 20 * Theme.u }
    }

    DeviceTable {
        device: window.device
        words: window.words
        visible: window.session.signedIn && window.page === "device"
        anchors { left: parent.left; right: parent.right; top: told.bottom; bottom: parent.bottom; margins: 20 * Theme.u }
    }
}
