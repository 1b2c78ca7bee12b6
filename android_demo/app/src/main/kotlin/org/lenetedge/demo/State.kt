package org.lenetedge.demo

import org.lenetedge.core.Answer
import org.lenetedge.core.BadModel
import org.lenetedge.core.Check
import org.lenetedge.core.Drawing
import org.lenetedge.core.Line
import org.lenetedge.core.LineReading
import org.lenetedge.core.Opening
import org.lenetedge.core.Reason
import org.lenetedge.core.Task

/**
 * What the worker knows: what runs ([opening], null while it is being opened) or the [trouble] instead, what
 * was [seen] of the last drawing, all [times]; how many loads a running check has done, and the last check.
 */
data class State(
    val opening: Opening? = null,
    val trouble: Trouble? = null,
    val seen: Seen? = null,
    val times: Times? = null,
    val checking: Int? = null,
    val checked: Checked? = null,
)

/** A [drawing] on the canvas of [task]. */
data class Drawn(val task: Task, val drawing: Drawing)

/** What was read of a drawing; the inferences took [nanos]. */
sealed interface Seen {
    val nanos: Long

    /** The [picture] that a drawing became, 32 x 32 unsigned bytes, and the model's [answer]. */
    class Digit(val picture: ByteArray, val answer: Answer, override val nanos: Long) : Seen

    /** The [line] that a drawing became, and the string on it. */
    class Text(val line: Line, val reading: LineReading) : Seen {
        override val nanos get() = reading.nanos
    }
}

/** Microseconds of the last [runs]: from drawing to picture and for the inference. */
data class Times(val preparing: Double, val inference: Double, val inference95: Double, val runs: Int)

/** A finished check, and the report of it to share. */
class Checked(val check: Check, val report: String)

/** Why nothing runs. */
sealed interface Trouble {
    /** The model's [file] cannot be used; [others] can be chosen instead, or cannot. */
    data class BadFile(val file: String, val fault: BadModel.Fault, val others: Boolean) : Trouble

    data class Untrusted(val reason: Reason) : Trouble

    object GoldenDamaged : Trouble
}
