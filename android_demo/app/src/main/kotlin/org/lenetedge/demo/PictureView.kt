package org.lenetedge.demo

import android.content.Context
import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Color
import android.graphics.Paint
import android.graphics.Rect
import android.util.AttributeSet
import android.view.View
import org.lenetedge.core.PICTURE

/** The picture that the net sees, each pixel drawn as a square. */
class PictureView(context: Context, attributes: AttributeSet) : View(context, attributes) {
    private val bitmap = Bitmap.createBitmap(PICTURE, PICTURE, Bitmap.Config.ARGB_8888)
    private val sharp = Paint().apply { isFilterBitmap = false }
    private val whole = Rect()
    private val shades = shades(context.getColor(R.color.track), context.getColor(R.color.ink))

    init {
        show(null)
    }

    /** Shows 32 x 32 unsigned bytes, or paper for null. */
    fun show(picture: ByteArray?) {
        val colours = IntArray(PICTURE * PICTURE) { shades[(picture?.get(it)?.toInt() ?: 0) and 0xff] }
        bitmap.setPixels(colours, 0, PICTURE, 0, 0, PICTURE, PICTURE)
        invalidate()
    }

    override fun onDraw(canvas: Canvas) {
        whole.set(0, 0, width, height)
        canvas.drawBitmap(bitmap, null, whole, sharp)
    }

    private fun shades(paper: Int, ink: Int) = IntArray(256) { value ->
        fun mixed(part: (Int) -> Int) = (part(paper) * (255 - value) + part(ink) * value) / 255
        Color.rgb(mixed(Color::red), mixed(Color::green), mixed(Color::blue))
    }
}
