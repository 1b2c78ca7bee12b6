package org.lenetedge.demo

import org.lenetedge.core.Answer
import org.lenetedge.core.BadModel
import org.lenetedge.core.Check
import org.lenetedge.core.Model
import org.lenetedge.core.Opening
import org.lenetedge.core.Reason

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

/** The [picture] that a drawing became, 32 x 32 unsigned bytes, and the model's [answer]. */
class Seen(val picture: ByteArray, val answer: Answer)

/** Microseconds of the last [runs]: from drawing to picture and for the inference. */
data class Times(val preparing: Double, val inference: Double, val inference95: Double, val runs: Int)

/** A finished check, and the report of it to share. */
class Checked(val check: Check, val report: String)

/** Why nothing runs. */
sealed interface Trouble {
    data class BadFile(val model: Model, val fault: BadModel.Fault) : Trouble

    data class Untrusted(val reason: Reason) : Trouble

    object GoldenDamaged : Trouble
}
