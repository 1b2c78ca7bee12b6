package org.lenetedge.core

import java.nio.ByteBuffer

object Unwatched : Watch {
    override fun trying(delegate: Delegate) = Unit

    override fun survived(delegate: Delegate) = Unit
}

/** A wide net that gives the golden scores of whatever golden piece it sees, plus [spoil]. */
class FakeWide(private val golden: GoldenStrings, private val spoil: Int = 0) : Runtime {
    private val windows = windows(golden.columns)
    private val known = golden.inputs.zip(golden.lines.flatMap { it.scores.chunked(windows) })

    override val version = "fake"

    /** Returns the scores of a golden [piece]; windows behind the line's end are empty. */
    fun answers(piece: ByteArray): FloatArray {
        val rows = known.first { it.first.contentEquals(piece) }.second
        val empty = FloatArray(CLASSES) { if (it == EMPTY) 255f else 0f }
        return List(windows) { rows.getOrElse(it) { empty } }.flatMap { it.toList() }.toFloatArray()
    }

    override fun open(model: ByteBuffer, delegate: Delegate, threads: Int) = object : Opened {
        override val input = TensorEnd(TensorType.UINT8, FIELD * golden.columns, 1f, 0)
        override val output = golden.output
        override val plan = Plan(18, if (delegate == Delegate.NONE) 18 else 1)
        override val invokeNanos: Long? = null

        override fun run(picture: ByteBuffer, answer: ByteBuffer) {
            val piece = ByteArray(input.count).also { picture.get(it) }
            for (score in answers(piece)) answer.put((score.toInt() + spoil).toByte())
        }

        override fun close() = Unit
    }
}
