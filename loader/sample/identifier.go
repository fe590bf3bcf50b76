package sample

import (
	"encoding/binary"

	"github.com/google/uuid"
)

const base62Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// uuid returns a random UUID of version 4.
func (s *source) uuid() string {
	const version4, variantRFC = 0x4000, 1 << 63
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:8], s.Uint64()&^0xf000|version4)
	binary.BigEndian.PutUint64(id[8:], s.Uint64()&^(3<<62)|variantRFC)
	return id.String()
}

// clerkID returns an identifier as Clerk assigns them. It begins with 2 as those of our time do: they lead with a
// timestamp.
func (s *source) clerkID(prefix string) string { return prefix + "_2" + s.base62(26) }

// base62 returns random letters and digits, ten for each 64 bits.
func (s *source) base62(n int) string {
	text := make([]byte, n)
	var bits uint64
	for i := range text {
		if i%10 == 0 {
			bits = s.Uint64()
		}
		text[i] = base62Digits[bits%62]
		bits /= 62
	}
	return string(text)
}
