-- ARGV: the token of a backup. Opens the queue again.

if call('HGET', P .. 'intake', 'token') == ARGV[1] then
  call('DEL', P .. 'intake')
end
return 1
