package transport

import "golang.org/x/sys/unix"

// hungUp reports whether the peer of a socket has closed it or reset it, even where bytes of it are still unread.
func hungUp(fd uintptr) bool {
	events := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
	n, err := unix.Poll(events, 0)
	return err == nil && n > 0 && events[0].Revents&(unix.POLLRDHUP|unix.POLLHUP|unix.POLLERR) != 0
}
