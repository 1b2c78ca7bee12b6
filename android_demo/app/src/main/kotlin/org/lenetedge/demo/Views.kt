package org.lenetedge.demo

import android.app.Activity
import android.util.TypedValue
import android.view.View

/** Returns a view that the layout has in each of its forms. */
fun <T : View> Activity.view(id: Int): T =
    checkNotNull(findViewById<T>(id)) { "expected the view $id in the layout" }

/** Returns [sp] of text, which follow the person's font size, in pixels. */
fun View.scaled(sp: Float): Float =
    TypedValue.applyDimension(TypedValue.COMPLEX_UNIT_SP, sp, resources.displayMetrics)
