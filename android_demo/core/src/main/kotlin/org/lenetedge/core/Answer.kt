package org.lenetedge.core

/** The model's [scores], ten probabilities, and what follows: below [unsureBelow] the digit is not [sure]. */
class Answer(val scores: FloatArray, unsureBelow: Double) {
    val digit: Int = scores.indices.maxByOrNull { scores[it] } ?: error("expected scores, got none")
    val probability: Float = scores[digit]
    val sure: Boolean = probability >= unsureBelow
}
