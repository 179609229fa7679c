"""The page's server, on this machine only: `glassnet open`. It hands on files and numbers; the page does the rest.

`server` starts and ends it, `doors` decides who is let in, `application` says which address gives what, `shelf` and
`opened` hold the files, `page` the built page. `page/` is written by the build in `frontend/`.
"""
