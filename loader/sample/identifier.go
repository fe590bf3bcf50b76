package sample

const (
	hexDigits    = "0123456789abcdef"
	base62Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// uuid is a UUID of version 4 as text.
type uuid [36]byte

func (s *source) uuid() uuid {
	const version4, variantRFC = 0x4000, 1 << 63
	high, low := s.Uint64(), s.Uint64()
	high = high&^0xf000 | version4
	low = low&^(3<<62) | variantRFC
	var u uuid
	putHex(u[0:8], high>>32)
	putHex(u[9:13], high>>16)
	putHex(u[14:18], high)
	putHex(u[19:23], low>>48)
	putHex(u[24:36], low)
	u[8], u[13], u[18], u[23] = '-', '-', '-', '-'
	return u
}

// putHex fills dst with the lowest hexadecimal digits of n.
func putHex(dst []byte, n uint64) {
	for i := len(dst) - 1; i >= 0; i-- {
		dst[i] = hexDigits[n&15]
		n >>= 4
	}
}

// clerkID is the part of an identifier of Clerk's after its prefix.
type clerkID [27]byte

// clerkID begins with 2 as those of our time do: they lead with a timestamp.
func (s *source) clerkID() clerkID {
	id := clerkID{'2'}
	s.putBase62(id[1:])
	return id
}

// putBase62 fills dst with random letters and digits, ten for each 64 bits.
func (s *source) putBase62(dst []byte) {
	for len(dst) > 0 {
		n := min(len(dst), 10)
		bits := s.Uint64()
		for i := range n {
			dst[i] = base62Digits[bits%62]
			bits /= 62
		}
		dst = dst[n:]
	}
}

// userID is a user's whole identifier, held in place because an organization
// has many.
type userID [len("user_") + len(clerkID{})]byte

func (s *source) userID() (u userID) {
	id := s.clerkID()
	copy(u[copy(u[:], "user_"):], id[:])
	return u
}

// String returns the identifier.
func (u userID) String() string { return string(u[:]) }
