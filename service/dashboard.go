package service

import (
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/orgstats/orgstats/service/dashboard"
)

const htmlType = "text/html; charset=utf-8"

// dashboard answers with the page for people. It is public: the figures that it shows need a token.
func (s *Service) dashboard(c *fiber.Ctx) error {
	c.Response().Header.Set(fasthttp.HeaderContentSecurityPolicy, dashboard.Policy(s.config.EmbedOrigins))
	describe(c, htmlType, s.dashboardPage)
	return nil
}

// asset answers with a file that the page loads.
func (s *Service) asset(c *fiber.Ctx) error {
	asset, ok := dashboard.Assets()[strings.TrimPrefix(requestOf(c).path, dashboard.AssetsPath)]
	if !ok {
		return fiber.ErrNotFound
	}
	body := asset.Body
	c.Response().Header.Set(fasthttp.HeaderVary, fasthttp.HeaderAcceptEncoding)
	if asset.Compressed != nil && c.Request().Header.HasAcceptEncoding("gzip") {
		body = asset.Compressed
		c.Response().Header.Set(fasthttp.HeaderContentEncoding, "gzip")
	}
	describe(c, asset.Type, body)
	if asset.Lasting {
		c.Response().Header.Set(fasthttp.HeaderCacheControl, "public, max-age=31536000, immutable")
	}
	return nil
}
