package org.lenetedge.core

/** A [digit], its [probability] 0 to 1, and its place on a line: from column [left] to [right]. */
data class ReadDigit(val digit: Int, val probability: Double, val left: Double, val right: Double)

/** A string of digits, "" without any, its [probability] 0 to 1, and its [digits] from left to right. */
data class DigitString(val text: String, val probability: Double, val digits: List<ReadDigit>)
