package org.lenetedge.core

/** Of [pictures], how many have a score [outside] the limits; in a quantised file, how many the [same] bytes as TensorFlow's. */
data class GoldenVerdict(val pictures: Int, val outside: Int, val same: Int)

/** A model's file, and what it must give for the [inputs] that it is tried with before an answer is trusted. */
interface GoldenModel {
    /** The file's name; it has to have this [sha256] and be [bytes] long. */
    val file: String
    val sha256: String
    val bytes: Int

    /** An answer of a lower probability is not sure. */
    val unsureBelow: Double

    /** Unsigned bytes, each input as [store] takes it. */
    val inputs: List<ByteArray>

    /** What reports call it. */
    val title: String get() = file.removeSuffix(".tflite")

    /** Returns how [stored], for each input the scores as the file stores them, keeps the limits; NaN never does. */
    fun judge(stored: List<FloatArray>): GoldenVerdict
}

/** Whether each of [scores] is from [low] to [high]; NaN never is. */
internal fun within(scores: FloatArray, low: FloatArray, high: FloatArray): Boolean =
    scores.indices.all { scores[it] in low[it]..high[it] }
