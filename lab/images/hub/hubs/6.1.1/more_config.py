
# Since 5.0 nobody may log in unless the settings say who: as before, everybody whom PAM knows.
c.Authenticator.allow_all = True
