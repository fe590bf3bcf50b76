package engine

// Joined reports whether the engine was running already. Only tests use it.
func (e *Engine) Joined() bool { return e.child == nil }
