package org.lenetedge.demo

import android.graphics.Canvas
import android.graphics.Paint
import android.graphics.Typeface
import android.view.View
import org.lenetedge.core.DigitBox

/** A digit that was read: its [box] on the canvas, in widths of it, the [digit] and its [share] in words, and whether to trust it. */
data class Label(val box: DigitBox, val digit: String, val share: String, val sure: Boolean)

/** Paints what was read over a drawing on [view]: each digit's box, the digit above it and its probability below. */
class LabelPainter(private val view: View) {
    private val density = view.resources.displayMetrics.density
    private val frame = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        style = Paint.Style.STROKE
        strokeWidth = FRAME_DP * density
    }
    private val text = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        textAlign = Paint.Align.CENTER
        fontFeatureSettings = "tnum"
    }

    fun paint(canvas: Canvas, labels: List<Label>) {
        val size = labels.minOfOrNull { fitting(it) } ?: return
        for (label in labels) paint(canvas, label, size)
    }

    private fun paint(canvas: Canvas, label: Label, size: Float) {
        val width = view.width
        val gap = GAP_DP * density
        text.textSize = size
        // A box ends at the canvas's side, and leaves room for the words above and below it.
        val left = maxOf(label.box.left * width, 0f) + gap
        val right = minOf(label.box.right * width, width.toFloat()) - gap
        val top = maxOf(label.box.top * width, gap - text.ascent() + text.descent())
        val bottom = minOf(label.box.bottom * width, view.height - gap + text.ascent() - text.descent())
        val colour = view.context.getColor(if (label.sure) R.color.accent else R.color.unsure)
        frame.color = colour
        canvas.drawRoundRect(left, top, right, bottom, ROUND_DP * density, ROUND_DP * density, frame)
        text.color = colour
        text.typeface = Typeface.DEFAULT_BOLD
        canvas.drawText(label.digit, (left + right) / 2, top - gap - text.descent(), text)
        text.typeface = Typeface.DEFAULT
        canvas.drawText(label.share, (left + right) / 2, bottom + gap - text.ascent(), text)
    }

    /** The size at which a label's words are no wider than its box. */
    private fun fitting(label: Label): Float {
        text.textSize = view.scaled(TEXT_SP)
        val room = (label.box.right - label.box.left) * view.width
        return text.textSize * minOf(1f, room / text.measureText(label.share))
    }

    private companion object {
        const val FRAME_DP = 1.5f
        const val ROUND_DP = 6f
        const val GAP_DP = 2f
        const val TEXT_SP = 14f
    }
}
