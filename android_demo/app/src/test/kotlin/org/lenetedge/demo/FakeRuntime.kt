package org.lenetedge.demo

import org.lenetedge.core.CLASSES
import org.lenetedge.core.Delegate
import org.lenetedge.core.EMPTY
import org.lenetedge.core.FIELD
import org.lenetedge.core.Golden
import org.lenetedge.core.GoldenFile
import org.lenetedge.core.GoldenModel
import org.lenetedge.core.GoldenStrings
import org.lenetedge.core.Model
import org.lenetedge.core.Opened
import org.lenetedge.core.PICTURE
import org.lenetedge.core.Plan
import org.lenetedge.core.Runtime
import org.lenetedge.core.STEP
import org.lenetedge.core.TensorEnd
import org.lenetedge.core.TensorType
import org.lenetedge.core.sha256
import java.nio.ByteBuffer
import java.util.concurrent.CopyOnWriteArrayList

/**
 * Answers golden pictures as golden.json does, and golden lines as strings.json does. Of all others it reads the narrow
 * pictures as a one and the rest as a seven, and as [inked] says wherever a line has ink. Tests set what goes wrong, and when.
 */
class FakeRuntime(private val golden: Golden, private val strings: GoldenStrings) : Runtime {
    /** Everything that was opened, with the names of the delegate and the model, and the threads. */
    val all = CopyOnWriteArrayList<Fake>()
    val stillOpen get() = all.filter { it.closings == 0 }

    /** Called before a delegate is made; may throw. */
    @Volatile var opening: (Delegate) -> Unit = {}

    /** Called before anything but a golden input is read; may throw or wait. */
    @Volatile var reading: (Delegate) -> Unit = {}

    /** Nodes that stay in the plan. */
    @Volatile var left: (Delegate) -> Int = { if (it == Delegate.NONE) NODES else 1 }

    /** Golden inputs that are answered wrongly. */
    @Volatile var wrong: (Delegate) -> Int = { 0 }

    /** Replaces a drawing's scores. */
    @Volatile var scores: FloatArray? = null

    /** The class of a line's window with ink in its middle, and what it gives to this class. */
    @Volatile var inked = 1

    @Volatile var sureness = 0.98f

    override val version = "2.16.1"

    override fun open(model: ByteBuffer, delegate: Delegate, threads: Int): Opened {
        opening(delegate)
        val sha256 = sha256(model)
        val found = (Model.entries.map { golden.of(it) } + strings).single { it.sha256 == sha256 }
        return Fake(found, delegate, threads).also { all += it }
    }

    inner class Fake(val model: GoldenModel, val delegate: Delegate, val threads: Int) : Opened {
        private val quantised = "int8" in model.file
        private val type = if (quantised) TensorType.UINT8 else TensorType.FLOAT32
        private val known = if (model is GoldenFile) model.scores else goldenPieces()

        @Volatile var closings = 0

        override val input = TensorEnd(type, model.inputs[0].size, if (quantised) 1f else 0f)
        override val output = TensorEnd(type, known[0].size, if (quantised) 1f / 256 else 0f)
        override val plan get() = Plan(NODES, left(delegate))
        override val invokeNanos = 1_500L

        override fun run(picture: ByteBuffer, answer: ByteBuffer) {
            check(closings == 0) { "expected an open interpreter, got a closed one" }
            val pixels = ByteArray(input.count) {
                if (quantised) picture.get() else picture.getFloat().toInt().toByte()
            }
            val place = model.inputs.indexOfFirst { it.contentEquals(pixels) }
            if (place < 0) reading(delegate)
            val stored = if (place < 0) stored(guess(pixels)) else golden(place)
            for (value in stored) {
                if (quantised) answer.put(value.toInt().toByte()) else answer.putFloat(value)
            }
        }

        private fun guess(pixels: ByteArray) =
            if (model === strings) line(pixels) else scores ?: digit(pixels)

        private fun golden(place: Int): FloatArray =
            if (place < wrong(delegate)) known[place].reversedArray() else known[place]

        private fun stored(scores: FloatArray) =
            if (quantised) FloatArray(scores.size) { minOf(255f, scores[it] * 256) } else scores

        override fun close() {
            closings += 1
        }
    }

    /** The golden scores of each piece; of windows behind the line's end, any. */
    private fun goldenPieces(): List<FloatArray> {
        val windows = strings.output.count / CLASSES
        return strings.lines.flatMap { it.scores.chunked(windows) }.map { rows ->
            FloatArray(strings.output.count) { rows.getOrNull(it / CLASSES)?.get(it % CLASSES) ?: 0f }
        }
    }

    private fun line(pixels: ByteArray): FloatArray {
        val middle = FIELD / 2 - STEP / 2 until FIELD / 2 + STEP / 2
        val scores = FloatArray(strings.output.count) { (1 - sureness) / EMPTY }
        for (window in 0 until scores.size / CLASSES) {
            val ink = middle.any { column -> hasInk(pixels, STEP * window + column) }
            scores[window * CLASSES + if (ink) inked else EMPTY] = sureness
        }
        return scores
    }

    private fun hasInk(pixels: ByteArray, column: Int) =
        (0 until FIELD).any { pixels[it * strings.columns + column] != 0.toByte() }

    private fun digit(pixels: ByteArray): FloatArray {
        val columns = pixels.indices.filter { pixels[it] != 0.toByte() }.map { it % PICTURE }
        return scores(if (columns.max() - columns.min() < NARROW) 1 else 7)
    }

    companion object {
        const val NODES = 18

        /** Scores that give this much to [digit], and the rest to two others. */
        fun scores(digit: Int, probability: Float = 0.9921875f) = FloatArray(10).also {
            it[(digit + 1) % 10] = (1 - probability) * 0.75f
            it[(digit + 6) % 10] = (1 - probability) * 0.25f
            it[digit] = probability
        }

        private const val NARROW = 8
    }
}
