"""The JSON API for the centres' supervision platforms (监管平台; notice 四（二）): directory, plans, results, certificates.

Read only. A token sees what an officer with the same region or school would see on the pages, and less: no draft, no result
before its public notice, no person unless the token was given the scope for it, never an identity number in clear. The
OpenAPI document is made from the operations below (``operations``, ``openapi``), so it cannot say anything else.
"""
