"""What the service itself may be asked, by whom and for how long.

admission  who is let in when not everybody can be served
deadline   when the caller stops waiting, carried from process to process
shields    features that an app can do without
"""
