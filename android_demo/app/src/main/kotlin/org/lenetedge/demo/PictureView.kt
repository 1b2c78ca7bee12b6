package org.lenetedge.demo

import android.content.Context
import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Color
import android.graphics.Paint
import android.graphics.RectF
import android.util.AttributeSet
import android.view.View
import org.lenetedge.core.Ink

/** What the net sees, each pixel drawn as a square, as large as there is room for. */
class PictureView(context: Context, attributes: AttributeSet) : View(context, attributes) {
    private val sharp = Paint().apply { isFilterBitmap = false }
    private val place = RectF()
    private val paper = context.getColor(R.color.track)
    private val shades = shades(paper, context.getColor(R.color.ink))
    private var bitmap: Bitmap? = null

    /** Shows [ink], or paper for null. */
    fun show(ink: Ink?) {
        bitmap = ink?.let {
            val colours = IntArray(it.width * it.height) { i -> shades[it.values[i].toInt() and 0xff] }
            Bitmap.createBitmap(colours, it.width, it.height, Bitmap.Config.ARGB_8888)
        }
        invalidate()
    }

    override fun onDraw(canvas: Canvas) {
        canvas.drawColor(paper)
        val bitmap = this.bitmap ?: return
        val scale = minOf(width / bitmap.width.toFloat(), height / bitmap.height.toFloat())
        val (across, down) = bitmap.width * scale to bitmap.height * scale
        place.set(0f, 0f, across, down)
        place.offset((width - across) / 2, (height - down) / 2)
        canvas.drawBitmap(bitmap, null, place, sharp)
    }

    private fun shades(paper: Int, ink: Int) = IntArray(256) { value ->
        fun mixed(part: (Int) -> Int) = (part(paper) * (255 - value) + part(ink) * value) / 255
        Color.rgb(mixed(Color::red), mixed(Color::green), mixed(Color::blue))
    }
}
