# XCLIENT is for ports 25 and 587.
F: xclient
S: 220 ...
C: XCLIENT ADDR=192.0.2.1
S: 550 5.7.0 You may not speak for others
