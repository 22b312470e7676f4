package io.trimtab.leader;

/**
 * A write was refused here, before it was sent: who wanted to write may no longer be the one who may.
 *
 * @since 0.1
 */
public final class FencedException extends IllegalStateException {
    private static final long serialVersionUID = 1L;

    FencedException(Fence fence, String write) {
        super("not sent, leadership of " + fence.name() + " may have passed on: " + write);
    }
}
