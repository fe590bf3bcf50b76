package service

import (
	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/orgstats/orgstats/service/openapi"
)

// openAPI answers with the description of the interface for programs.
func (s *Service) openAPI(c *fiber.Ctx) error {
	describe(c, jsonType, openapi.Document)
	return nil
}

// docs answers with the description for people.
func (s *Service) docs(c *fiber.Ctx) error {
	c.Response().Header.Set(fasthttp.HeaderContentSecurityPolicy, openapi.PagePolicy)
	describe(c, "text/html; charset=utf-8", openapi.Page())
	return nil
}

// describe answers with a text that is the same for everybody until the program is another one.
func describe(c *fiber.Ctx, contentType string, text []byte) {
	response := c.Response()
	response.SetBody(text)
	response.Header.SetContentType(contentType)
	response.Header.Set(fasthttp.HeaderCacheControl, "no-cache")
	tag(c.Request(), response)
}
