"""What people and rules set while the service runs.

switches     live values, by scope, each with an end, an owner and a reason
openfeature  the same for code that reads flags by OpenFeature; needs the extra `openfeature`
"""
