"""The page's server, on this machine only: `glassnet open`. It serves files and numbers; the page does the rest.

`server` starts and stops it, `access` refuses all other clients, `application` has the routes, `uploads` and
`opened_file` hold the files, `page` reads the built page. `page/` is written by the build in `frontend/`.
"""
