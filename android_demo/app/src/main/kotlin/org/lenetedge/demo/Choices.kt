package org.lenetedge.demo

import android.util.TypedValue
import android.widget.LinearLayout
import android.widget.RadioButton
import android.widget.RadioGroup

/** Offers [items] side by side with [chosen] checked; [onChoice] gets each tap, even on the checked item. */
fun <T> RadioGroup.offer(items: List<T>, chosen: T, label: (T) -> String, onChoice: (T) -> Unit) {
    val gap = (GAP_DP * resources.displayMetrics.density).toInt()
    items.forEachIndexed { i, item ->
        val button = RadioButton(context, null, 0, R.style.Choice).apply {
            id = i + 1 // a group tells its buttons apart by their ids
            text = label(item)
            tag = item
            isSaveEnabled = false
            isFocusable = true
            isClickable = true
            setAutoSizeTextTypeUniformWithConfiguration(
                SMALLEST_SP,
                LARGEST_SP,
                1,
                TypedValue.COMPLEX_UNIT_SP,
            )
            setOnClickListener { onChoice(item) }
        }
        val place = RadioGroup.LayoutParams(0, LinearLayout.LayoutParams.MATCH_PARENT, 1f)
        if (i > 0) place.marginStart = gap
        addView(button, place)
        if (item == chosen) check(button.id)
    }
}

private const val GAP_DP = 8
private const val SMALLEST_SP = 8
private const val LARGEST_SP = 14
