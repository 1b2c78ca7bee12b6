package org.lenetedge.demo

import android.content.Context
import android.graphics.Canvas
import android.graphics.Paint
import android.graphics.Path
import android.graphics.Rect
import android.os.Build
import android.util.AttributeSet
import android.view.MotionEvent
import android.view.View
import org.lenetedge.core.Drawing
import org.lenetedge.core.Point

/** The line's width as a share of the canvas's. */
private const val LINE = 0.07f

/** A square to draw on with any number of fingers; each draws its own strokes. */
class DrawView(context: Context, attributes: AttributeSet) : View(context, attributes) {
    private val strokes = Strokes()
    private val most = resources.getDimensionPixelSize(R.dimen.canvas_most)
    private val path = Path()
    private val line = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        color = context.getColor(R.color.ink)
        style = Paint.Style.STROKE
        strokeCap = Paint.Cap.ROUND
        strokeJoin = Paint.Join.ROUND
    }
    private val hint = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        color = context.getColor(R.color.quiet)
        textAlign = Paint.Align.CENTER
        textSize = scaled(HINT_SP)
    }

    /** Called at each change of the drawing. */
    var onDrawn: (Drawing) -> Unit = {}

    val drawing: Drawing get() = strokes.drawing

    init {
        clipToOutline = true
    }

    fun undo() {
        strokes.undo()
        changed()
    }

    fun clear() {
        strokes.clear()
        changed()
    }

    /** Returns the drawing for the saved state, which must stay small. */
    fun packed(): FloatArray = strokes.packed()

    /** Puts back what [packed] gave. */
    fun unpack(packed: FloatArray) {
        strokes.unpack(packed)
        changed()
    }

    override fun onMeasure(widthMeasureSpec: Int, heightMeasureSpec: Int) {
        val sides = listOf(widthMeasureSpec, heightMeasureSpec)
            .filter { MeasureSpec.getMode(it) != MeasureSpec.UNSPECIFIED }
            .map { MeasureSpec.getSize(it) }
        val side = (sides + most).min()
        setMeasuredDimension(side, side)
    }

    override fun onLayout(changed: Boolean, left: Int, top: Int, right: Int, bottom: Int) {
        super.onLayout(changed, left, top, right, bottom)
        // A stroke from the screen's edge is a stroke, not the "back" gesture.
        if (Build.VERSION.SDK_INT >= 29) systemGestureExclusionRects = listOf(Rect(0, 0, width, height))
    }

    override fun onTouchEvent(event: MotionEvent): Boolean {
        val finger = event.getPointerId(event.actionIndex)
        when (event.actionMasked) {
            MotionEvent.ACTION_DOWN, MotionEvent.ACTION_POINTER_DOWN -> {
                parent.requestDisallowInterceptTouchEvent(true) // or it would scroll
                strokes.begin(finger, point(event.getX(event.actionIndex), event.getY(event.actionIndex)))
            }
            MotionEvent.ACTION_MOVE -> extend(event)
            MotionEvent.ACTION_UP, MotionEvent.ACTION_POINTER_UP ->
                if (cancelled(event)) strokes.cancel(finger) else strokes.end(finger)
            MotionEvent.ACTION_CANCEL -> strokes.cancelAll()
            else -> return super.onTouchEvent(event)
        }
        changed()
        if (event.actionMasked == MotionEvent.ACTION_UP) performClick()
        return true
    }

    override fun performClick(): Boolean {
        super.performClick()
        return true
    }

    override fun onDraw(canvas: Canvas) {
        val drawn = strokes.drawing
        if (drawn.isEmpty) {
            val text = context.getString(R.string.draw_a_digit)
            canvas.drawText(text, width / 2f, (height - hint.ascent() - hint.descent()) / 2, hint)
        }
        line.strokeWidth = LINE * width
        for (stroke in drawn.strokes) canvas.drawPath(smooth(stroke), line)
    }

    /** Curves from the middle of each step to the middle of the next, bent by the point between. */
    private fun smooth(stroke: List<Point>): Path {
        path.rewind()
        var last = stroke.first()
        path.moveTo(last.x * width, last.y * width)
        for (next in stroke.drop(1)) {
            val (x, y) = (last.x + next.x) / 2 to (last.y + next.y) / 2
            path.quadTo(last.x * width, last.y * width, x * width, y * width)
            last = next
        }
        path.lineTo(last.x * width, last.y * width)
        return path
    }

    private fun extend(event: MotionEvent) {
        for (i in 0 until event.pointerCount) {
            val finger = event.getPointerId(i)
            for (past in 0 until event.historySize) {
                strokes.extend(finger, point(event.getHistoricalX(i, past), event.getHistoricalY(i, past)))
            }
            strokes.extend(finger, point(event.getX(i), event.getY(i)))
        }
    }

    /** Whether the system cancels a finger because it was the palm. */
    private fun cancelled(event: MotionEvent) =
        Build.VERSION.SDK_INT >= 33 && event.flags and MotionEvent.FLAG_CANCELED != 0

    private fun point(x: Float, y: Float) = Point(x / width, y / width)

    private fun changed() {
        invalidate()
        onDrawn(drawing)
    }

    private companion object {
        const val HINT_SP = 20f
    }
}
