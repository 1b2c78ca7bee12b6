package org.lenetedge.demo

import android.content.Context
import android.graphics.Canvas
import android.graphics.Paint
import android.graphics.Typeface
import android.util.AttributeSet
import android.view.View
import org.lenetedge.core.Answer
import kotlin.math.ceil

/** Ten bars, one below the other: the probability of each digit. The best one is coloured and bold. */
class BarsView(context: Context, attributes: AttributeSet) : View(context, attributes) {
    private val words = Words(resources)
    private val density = resources.displayMetrics.density
    private val text = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        textSize = scaled(TEXT_SP)
        fontFeatureSettings = "tnum"
    }
    private val bar = Paint(Paint.ANTI_ALIAS_FLAG)
    private val row = maxOf(LEAST_ROW_DP * density, ROW * text.textSize)
    private val digitWidth = text.measureText(words.digit(0)) + GAP_DP * density
    private val shareWidth = text.measureText(words.percent(WIDEST)) + GAP_DP * density
    private var answer: Answer? = null

    init {
        show(null)
    }

    /** Shows the probabilities of an answer; for null, none. */
    fun show(next: Answer?) {
        answer = next
        contentDescription = spoken(next)
        invalidate()
    }

    override fun onMeasure(widthMeasureSpec: Int, heightMeasureSpec: Int) {
        setMeasuredDimension(
            getDefaultSize(suggestedMinimumWidth, widthMeasureSpec),
            ceil(row * DIGITS).toInt(),
        )
    }

    override fun onDraw(canvas: Canvas) {
        for (digit in 0 until DIGITS) drawRow(canvas, digit, answer)
    }

    private fun drawRow(canvas: Canvas, digit: Int, answer: Answer?) {
        val best = answer?.digit == digit
        val colour = if (answer?.sure == false) R.color.unsure else R.color.accent
        val middle = row * (digit + 0.5f)
        val base = middle - (text.ascent() + text.descent()) / 2
        text.typeface = if (best) Typeface.DEFAULT_BOLD else Typeface.DEFAULT
        text.color = context.getColor(if (best) colour else R.color.quiet)
        text.textAlign = Paint.Align.LEFT
        canvas.drawText(words.digit(digit), 0f, base, text)
        bar.color = context.getColor(R.color.track)
        drawBar(canvas, middle, 1f)
        val score = answer?.scores?.get(digit) ?: return
        bar.color = context.getColor(if (best) colour else R.color.quiet)
        if (score >= LEAST) drawBar(canvas, middle, score)
        text.textAlign = Paint.Align.RIGHT
        canvas.drawText(words.percent(score), width.toFloat(), base, text)
    }

    private fun drawBar(canvas: Canvas, middle: Float, share: Float) {
        val half = BAR_DP / 2 * density
        val room = width - digitWidth - shareWidth
        val length = maxOf(room * share, 2 * half)
        canvas.drawRoundRect(digitWidth, middle - half, digitWidth + length, middle + half, half, half, bar)
    }

    /** The digits worth reading out, the best one first. */
    private fun spoken(answer: Answer?): String {
        if (answer == null) return context.getString(R.string.bars_empty)
        val heard = answer.scores.withIndex().filter { it.value >= SPOKEN }.sortedByDescending { it.value }
        val rows = heard.map {
            context.getString(R.string.bar, words.digit(it.index), words.percent(it.value))
        }
        return context.getString(R.string.bars, rows.joinToString("; "))
    }

    private companion object {
        const val DIGITS = 10
        const val TEXT_SP = 13f
        const val ROW = 1.45f
        const val LEAST_ROW_DP = 20f
        const val BAR_DP = 8f
        const val GAP_DP = 8f
        const val LEAST = 0.005f
        const val SPOKEN = 0.01f
        const val WIDEST = 0.888f
    }
}
