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
import org.lenetedge.core.Task

/** A canvas for [task] to draw on with any number of fingers; each draws its own strokes. Each task has its own drawing. */
class DrawView(context: Context, attributes: AttributeSet) : View(context, attributes) {
    private val sheets = Task.entries.associateWith { Strokes() }
    private val strokes get() = sheets.getValue(task)
    private val form get() = FORMS.getValue(task)
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
    private val labels = LabelPainter(this)

    /** What is drawn: one digit on a square, or a line on a wide canvas. */
    var task = Task.DIGIT
        set(value) {
            if (field == value) return
            strokes.endAll()
            field = value
            requestLayout()
            changed()
        }

    /** What was read, shown over the drawing. */
    var read: List<Label> = emptyList()
        set(value) {
            if (field == value) return
            field = value
            invalidate()
        }

    /** Called at each change of what is drawn. */
    var onDrawn: (Drawn) -> Unit = {}

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

    /** Returns the drawing for [task] for the saved state, which must stay small. */
    fun packed(task: Task): FloatArray = sheets.getValue(task).packed()

    /** Puts back what [packed] gave. */
    fun unpack(task: Task, packed: FloatArray) {
        sheets.getValue(task).unpack(packed)
        changed()
    }

    override fun onMeasure(widthMeasureSpec: Int, heightMeasureSpec: Int) {
        fun room(spec: Int) =
            if (MeasureSpec.getMode(spec) == MeasureSpec.UNSPECIFIED) null else MeasureSpec.getSize(spec)
        val most = resources.getDimensionPixelSize(form.most)
        val high = room(heightMeasureSpec)?.let { it * form.widthOfHeight }
        val width = listOfNotNull(room(widthMeasureSpec), high, most).min()
        setMeasuredDimension(width, width / form.widthOfHeight)
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
            val text = context.getString(form.hint)
            canvas.drawText(text, width / 2f, (height - hint.ascent() - hint.descent()) / 2, hint)
        }
        line.strokeWidth = form.pen * width
        for (stroke in drawn.strokes) canvas.drawPath(smooth(stroke), line)
        if (!drawn.isEmpty) labels.paint(canvas, read)
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
        onDrawn(Drawn(task, drawing))
    }

    /** A task's canvas: its width in heights and at [most], its words while it is empty, and the [pen]'s share of its width. */
    private class Form(val widthOfHeight: Int, val most: Int, val hint: Int, val pen: Float)

    private companion object {
        const val HINT_SP = 20f
        val FORMS = mapOf(
            Task.DIGIT to Form(1, R.dimen.canvas_most, R.string.draw_a_digit, pen = 0.07f),
            Task.LINE to Form(2, R.dimen.line_most, R.string.draw_a_line, pen = 0.022f),
        )
    }
}
