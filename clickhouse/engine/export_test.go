package engine

// Joined reports whether the engine was running already. Only tests ask.
func (e *Engine) Joined() bool { return e.child == nil }
